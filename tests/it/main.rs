//! One test binary, a module per behaviour.

#[cfg(feature = "emulator")]
mod emulator_http;
#[cfg(feature = "emulator")]
mod emulator_life;
#[cfg(feature = "emulator")]
mod emulator_lists;
#[cfg(feature = "emulator")]
mod emulator_sends;
#[cfg(feature = "emulator")]
mod emulator_stream;
#[cfg(feature = "emulator")]
mod emulator_support;
