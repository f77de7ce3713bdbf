#!/usr/bin/env python3
"""Weighs a program that sends one message, on dari and on its peers.

For each: the crates in its tree, the CPU time of a clean release build (best of the rounds, which
are interleaved) and the size of the stripped program. Prints a table, then lines
`ratio weight/NAME VALUE`. Needs cargo, and the crates' registry the first time.

    python3 benches/weight/weigh.py [--rounds 3] [--only NAME ...]
"""

import argparse
import os
import pathlib
import re
import resource
import shutil
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TOKIO = 'tokio = { version = "1", default-features = false, features = ["macros", "rt", "time"] }'
JSON = 'serde = { version = "1", features = ["derive"] }\nserde_json = "1"'


def dari(features):
    return ("dari.rs", f'dari = {{ path = "{HERE.parent.parent}", {features} }}')


NO_RING = """

[features]
ring = []"""


def reqwest(features, more=NO_RING):
    tls = f'reqwest = {{ version = "0.13", default-features = false, features = ["json", "{features}"] }}'
    return ("reqwest.rs", f"{tls}\n{JSON}{more}")


RING = """
rustls = { version = "0.23", default-features = false, features = ["ring", "std", "tls12"] }

[features]
default = ["ring"]
ring = []"""

# Name: the program, and its dependencies beside tokio.
PROGRAMS = {
    "dari": dari("default-features = true"),
    "reqwest": reqwest("rustls"),
    "async-openai": (
        "async_openai.rs",
        'async-openai = { version = "0.43", features = ["chat-completion"] }',
    ),
    "octocrab": ("octocrab.rs", 'octocrab = "0.54"'),
    "dari-ring": dari('default-features = false, features = ["rustls-ring"]'),
    "reqwest-ring": reqwest("rustls-no-provider", RING),
    "dari-native-tls": dari('default-features = false, features = ["native-tls"]'),
    "reqwest-native-tls": reqwest("native-tls"),
}
# What dari is compared with, and under which name the ratio stands.
PEERS = [
    ("dari", "reqwest", "vs-reqwest"),
    ("dari", "async-openai", "vs-async-openai"),
    ("dari", "octocrab", "vs-octocrab"),
    ("dari-ring", "reqwest-ring", "ring/vs-reqwest"),
    ("dari-native-tls", "reqwest-native-tls", "native-tls/vs-reqwest"),
]


class Program:
    def __init__(self, name, folder):
        source, dependencies = PROGRAMS[name]
        self.name, self.folder, self.cpu, self.size = name, folder / name, [], 0
        (self.folder / "src").mkdir(parents=True)
        shutil.copy(HERE / source, self.folder / "src" / "main.rs")
        (self.folder / "Cargo.toml").write_text(
            f'[package]\nname = "hello"\nversion = "0.0.0"\nedition = "2024"\n\n[workspace]\n\n'
            f"[profile.release]\nstrip = true\n\n[dependencies]\n{TOKIO}\n{dependencies}\n"
        )
        self.cargo("fetch")
        tree = self.cargo("tree", "--edges", "normal,build", "--prefix", "none", "--format", "{p}")
        self.crates = {" ".join(line.split()[:2]) for line in tree.splitlines() if line.strip()}
        # Itself is none of its own dependencies.
        self.crates = {crate for crate in self.crates if not crate.startswith("hello ")}

    def cargo(self, *args):
        command = ["cargo", *args]
        return subprocess.run(command, cwd=self.folder, env=self.environment(), check=True,
                              stdout=subprocess.PIPE, text=True).stdout

    def environment(self):
        """Of the settings of whoever runs this, none that changes what is built."""
        kept = {k: v for k, v in os.environ.items()
                if not re.match(r"CARGO_(PROFILE|BUILD|INCREMENTAL|TARGET)|RUST(C|DOC)?FLAGS|RUSTC_W", k)}
        return kept | {"CARGO_TARGET_DIR": str(self.folder / "target"), "CARGO_TERM_QUIET": "true"}

    def build(self):
        shutil.rmtree(self.folder / "target", ignore_errors=True)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.cargo("build", "--release", "--offline")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        self.size = (self.folder / "target/release/hello").stat().st_size
        shutil.rmtree(self.folder / "target")

    def row(self):
        version = next((c for c in sorted(self.crates) if c.split()[0] == self.name), "")
        return (f"{self.name:<20} {len(self.crates):>6} {min(self.cpu):>11.1f} "
                f"{max(self.cpu):>6.1f} {self.size / 2**20:>9.2f}  {version.partition(' ')[2]}")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--only", nargs="*", choices=PROGRAMS, default=list(PROGRAMS))
    options = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="weight-") as folder:
        programs = {name: Program(name, pathlib.Path(folder)) for name in options.only}
        for _ in range(options.rounds):
            for program in programs.values():
                program.build()
    print(f"{'program':<20} {'crates':>6} {'best cpu s':>11} {'worst':>6} {'size MiB':>9}")
    for program in programs.values():
        print(program.row())
    print()
    for ours, theirs, name in PEERS:
        if ours in programs and theirs in programs:
            compare(programs[ours], programs[theirs], name)


def compare(ours, theirs, name):
    print(f"ratio weight/{name}/build-cpu {min(ours.cpu) / min(theirs.cpu):.2f}")
    print(f"ratio weight/{name}/size {ours.size / theirs.size:.2f}")
    print(f"ratio weight/{name}/crates {len(ours.crates) / len(theirs.crates):.2f}")
    print(f"      weight/{name}/more-crates {len(ours.crates) - len(theirs.crates)}")


if __name__ == "__main__":
    main()
