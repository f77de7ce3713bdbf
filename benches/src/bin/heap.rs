//! Prints how much heap is held; a program of its own, so that counting slows down no other
//! measurement.
//!
//! `decode`: the most that decoding held, input apart. `open http1 dari URL`: what open streams
//! hold. `grow list 100`: the most that a call held. `serve http1`: the server of open streams.

use allocation_counter::AllocationInfo;
use dari_benches::decoders::{Decoder, Workload};
use dari_benches::grow::Read;
use dari_benches::open::{Opener, Version, serve};
use dari_benches::{Failure, grow};
use tokio::runtime::{Builder, Runtime};

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match &args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["decode"] => decode(),
        ["open", version, opener, url] => open(named(version)?, opener_of(opener)?, url),
        ["grow", read, messages] => grow(read, messages.parse()?),
        ["serve", version] => runtime()?.block_on(serve(named(version)?)),
        _ => Err(format!("unknown arguments {args:?}").into()),
    }
}

fn decode() -> Result<(), Failure> {
    for workload in Workload::ALL {
        let body = workload.body();
        for decoder in Decoder::ALL {
            let mut done = Ok(());
            let heap = allocation_counter::measure(|| done = decoder.decode(workload, &body));
            done?;
            println!("{} {} {} {}", workload.name(), decoder.name(), heap.bytes_max, body.len());
        }
    }
    Ok(())
}

fn open(version: Version, opener: Opener, url: &str) -> Result<(), Failure> {
    let runtime = runtime()?;
    let (held, heap) = count(|| runtime.block_on(opener.open(version, url)))?;
    println!("{}", heap.bytes_current);
    drop(held);
    Ok(())
}

fn grow(read: &str, messages: usize) -> Result<(), Failure> {
    let read = Read::ALL.into_iter().find(|it| it.name() == read).ok_or("no such read")?;
    let (servers, runtime) = (grow::start(messages)?, runtime()?);
    let client = read.client(&servers)?;
    let ((), heap) = count(|| runtime.block_on(read.run(&client, messages)))?;
    println!("{}", heap.bytes_max);
    Ok(())
}

/// Runs on this thread, and counts what this thread allocates.
fn count<T>(run: impl FnOnce() -> Result<T, Failure>) -> Result<(T, AllocationInfo), Failure> {
    let mut done = None;
    let heap = allocation_counter::measure(|| done = Some(run()));
    Ok((done.ok_or("nothing ran")??, heap))
}

fn runtime() -> std::io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

fn named(version: &str) -> Result<Version, Failure> {
    let found = Version::ALL.into_iter().find(|it| it.name() == version);
    found.ok_or_else(|| format!("no version {version}").into())
}

fn opener_of(name: &str) -> Result<Opener, Failure> {
    let found = Opener::ALL.into_iter().find(|it| it.name() == name);
    found.ok_or_else(|| format!("no opener {name}").into())
}
