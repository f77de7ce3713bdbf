//! Guides: one for each job, to be read from the top or looked things up in.
//!
//! | guide | what it answers |
//! |---|---|
//! | [Sending and waiting](sending_and_waiting) | How do I send a message, wait for the reply, and read it? |
//! | [Streaming and resuming](streaming_and_resuming) | How do I follow a session live, and go on after a break? |
//! | [Tools](tools) | How does my program run a tool for the agent, once for each call? |
//! | [Webhooks](webhooks) | How am I called when something happens, and can I trust it? |
//! | [Testing](testing) | How do I test my service without an account, and with faults? |
//! | [Repeats and deadlines](repeats_and_deadlines) | What is repeated, what never, and how long may anything take? |
//! | [Many sessions](many_sessions) | How do I run thousands, on several machines, with a database? |
//! | [Upgrading](upgrading) | What stays the same from version to version? |
//!
//! All code in them is compiled and run against the [emulator](crate::emulator) by the crate's tests.
//! Lines that only set a scene are left out here; where the code says `client` and `agent`, a program
//! of yours has `Client::from_env()?` and an id. The emulator has a [guide](crate::emulator::guide) of its
//! own, for the shell.
//!
//! The module exists in the documentation alone: it adds nothing to a build.

#![cfg_attr(
    not(feature = "emulator"),
    allow(rustdoc::broken_intra_doc_links, reason = "the guides name what features bring")
)]

/// Makes a page of each guide; its code is run where there is an emulator to run it against.
macro_rules! guides {
    ($($name:ident: $text:literal;)*) => {
        $(
            #[cfg_attr(any(not(doctest), feature = "emulator"), doc = include_str!($text))]
            pub mod $name {}
        )*
    };
}

guides! {
    many_sessions: "guide/many_sessions.md";
    repeats_and_deadlines: "guide/repeats_and_deadlines.md";
    sending_and_waiting: "guide/sending_and_waiting.md";
    streaming_and_resuming: "guide/streaming_and_resuming.md";
    testing: "guide/testing.md";
    tools: "guide/tools.md";
    upgrading: "guide/upgrading.md";
    webhooks: "guide/webhooks.md";
}
