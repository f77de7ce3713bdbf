//! Tests of the crate as its user has it: one binary, a module per behaviour.

mod agent_webhook;
#[cfg(feature = "emulator")]
mod agents;
mod bad_input;
mod batches;
#[cfg(feature = "emulator")]
mod batches_once;
mod bounds;
#[cfg(all(feature = "emulator", feature = "workspace"))]
mod downloads;
#[cfg(feature = "emulator")]
mod costs;
mod dependencies;
#[cfg(feature = "emulator")]
mod emulator_batch_ends;
#[cfg(feature = "emulator")]
mod emulator_behaviour;
#[cfg(feature = "emulator")]
mod emulator_faults;
#[cfg(all(feature = "emulator", unix))]
mod emulator_guide;
#[cfg(feature = "emulator")]
mod emulator_http;
#[cfg(feature = "emulator")]
mod emulator_leniency;
#[cfg(feature = "emulator")]
mod emulator_life;
#[cfg(feature = "emulator")]
mod emulator_lists;
#[cfg(feature = "emulator")]
mod emulator_program;
#[cfg(feature = "emulator")]
mod emulator_sends;
#[cfg(feature = "emulator")]
mod emulator_snapshots;
#[cfg(feature = "emulator")]
mod emulator_stream;
#[cfg(feature = "emulator")]
mod emulator_support;
#[cfg(feature = "emulator")]
mod emulator_tools;
#[cfg(feature = "emulator")]
mod emulator_webhook_faults;
#[cfg(feature = "emulator")]
mod emulator_webhooks;
mod hostile_servers;
mod house_docs;
mod house_plan;
mod key;
#[cfg(feature = "emulator")]
mod main_job;
#[cfg(feature = "emulator")]
mod once;
#[cfg(feature = "publish")]
mod publishing;
mod repeating;
mod replies;
mod round_trip;
mod send_and_sync;
mod security;
#[cfg(feature = "publish")]
mod source_archive;
mod source_snapshots;
mod stream_faults;
#[cfg(feature = "emulator")]
mod streaming;
#[cfg(feature = "rustls")]
mod tls;
mod tool_results;
#[cfg(feature = "emulator")]
mod tools;
mod transcript_page;
mod support;
#[cfg(feature = "tracing")]
mod tracing;
#[cfg(all(feature = "emulator", feature = "workspace"))]
mod unpacking;
#[cfg(feature = "emulator")]
mod uploads;
#[cfg(feature = "webhooks")]
mod webhook_events;
#[cfg(feature = "webhooks")]
mod webhook_signatures;
