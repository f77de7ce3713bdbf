//! The seeds of the fuzz targets, each of which keeps its promise.

use std::fs;
use std::path::Path;

/// A target: its name, which is that of the folder of its seeds, and its function.
type Target = (&'static str, fn(&[u8]));

const TARGETS: &[Target] = &[
    ("addresses", super::addresses),
    #[cfg(feature = "workspace")]
    ("archives", super::archives),
    #[cfg(feature = "emulator")]
    ("bundles", super::bundles),
    ("decoders", super::decoders),
    #[cfg(feature = "webhooks")]
    ("deliveries", super::deliveries),
    ("frames", super::frames),
    ("headers", super::headers),
];

#[test]
fn every_seed_keeps_the_promise_of_its_target() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    for (name, target) in TARGETS {
        let mut inputs = vec![Vec::new(), vec![0], vec![0xFF; 64]];
        // A packaged crate comes without the seeds.
        if folder.is_dir() {
            let found = fs::read_dir(folder.join(name)).expect(name);
            inputs.extend(found.map(|entry| fs::read(entry.unwrap().path()).unwrap()));
            assert!(inputs.len() > 5, "{name} has no seeds");
        }
        inputs.iter().for_each(|input| target(input));
    }
}

#[test]
fn every_target_is_built_has_seeds_and_is_documented() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let Ok(manifest) = fs::read_to_string(root.join("Cargo.toml")) else { return };
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    for (name, _) in TARGETS {
        let target = fs::read_to_string(root.join(format!("fuzz_targets/{name}.rs"))).expect(name);
        assert!(target.contains(&format!("dari::fuzzing::{name}(data)")), "{name}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        assert!(readme.contains(&format!("| `{name}` |")), "{name}");
    }
}
