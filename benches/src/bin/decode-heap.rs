//! Prints the most heap that decoding held, input apart; a program of its own, so that counting
//! slows down no other measurement.

use dari_benches::Failure;
use dari_benches::decoders::{Decoder, Workload};

fn main() -> Result<(), Failure> {
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
