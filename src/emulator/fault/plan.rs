//! The faults that are still to happen, and those that have.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::request::Parts;

use super::{Act, Chaos, Effect, Fault, FaultKind, Route};

/// Chooses what happens to each request.
#[derive(Debug, Default)]
pub(in crate::emulator) struct Faults(Mutex<Plan>);

#[derive(Debug, Default)]
struct Plan {
    /// In the order of injection.
    queue: Vec<Fault>,
    chaos: Option<Chaos>,
    counts: BTreeMap<FaultKind, usize>,
}

impl Faults {
    pub(in crate::emulator) fn inject(&self, fault: Fault) {
        if fault.times > 0 {
            self.lock().queue.push(fault);
        }
    }

    pub(in crate::emulator) fn inject_chaos(&self, chaos: Chaos) {
        self.lock().chaos = Some(chaos);
    }

    pub(in crate::emulator) fn clear(&self) {
        let mut plan = self.lock();
        plan.queue.clear();
        plan.chaos = None;
    }

    pub(in crate::emulator) fn left(&self) -> usize {
        self.lock().queue.iter().fold(0, |sum, fault| sum.saturating_add(fault.times))
    }

    pub(in crate::emulator) fn counts(&self) -> BTreeMap<FaultKind, usize> {
        self.lock().counts.clone()
    }

    /// Returns what goes wrong with this request, and counts it.
    pub(in crate::emulator) fn choose(&self, request: &Parts) -> Option<Act> {
        let mut plan = self.lock();
        let act = plan.injected(request).or_else(|| plan.chaos.as_mut()?.pick(request))?;
        *plan.counts.entry(act.kind()).or_default() += 1;
        Some(act)
    }

    fn lock(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Plan {
    fn injected(&mut self, request: &Parts) -> Option<Act> {
        let mut chosen = None;
        for fault in self.queue.iter_mut().filter(|fault| fault.concerns(request)) {
            if fault.skip > 0 {
                fault.skip -= 1;
            } else if chosen.is_none() {
                fault.times -= 1;
                chosen = Some(fault.act.clone());
            }
        }
        self.queue.retain(|fault| fault.times > 0);
        chosen
    }
}

impl Fault {
    fn concerns(&self, request: &Parts) -> bool {
        let (method, path) = (request.method.as_str(), request.uri.path());
        let of_streams = matches!(self.act.effect, Effect::Stream(_));
        self.route.matches(method, path)
            && (!of_streams || Route::StreamEvents.matches(method, path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, path: &str) -> Parts {
        let request = http::Request::builder().method(method).uri(path);
        request.body(()).unwrap().into_parts().0
    }

    /// Returns the kinds of faults that so many requests to one route meet.
    fn kinds(faults: &Faults, path: &str, requests: usize) -> Vec<Option<FaultKind>> {
        let request = request("GET", path);
        (0..requests).map(|_| faults.choose(&request).map(|act| act.kind())).collect()
    }

    #[test]
    fn a_fault_happens_after_so_many_requests_and_so_many_times() {
        let faults = Faults::default();
        faults.inject(Fault::status(503).on(Route::GetMessage).after(1).times(2));
        assert_eq!(faults.left(), 2);
        assert_eq!(kinds(&faults, "/v1/sessions", 2), [None, None]);
        let fault = Some(FaultKind::Status);
        assert_eq!(kinds(&faults, "/v1/messages/msg_1", 4), [None, fault, fault, None]);
        assert_eq!((faults.left(), faults.counts()[&FaultKind::Status]), (0, 2));
    }

    #[test]
    fn a_request_has_one_fault_and_those_behind_it_wait() {
        let faults = Faults::default();
        faults.inject(Fault::status(503));
        faults.inject(Fault::garbage());
        faults.inject(Fault::disconnect().after(3));
        faults.inject(Fault::no_answer().times(0));
        let expected =
            [Some(FaultKind::Status), Some(FaultKind::Garbage), None, Some(FaultKind::Disconnect)];
        assert_eq!(kinds(&faults, "/v1/sessions", 4), expected);
        assert_eq!(kinds(&faults, "/v1/sessions", 1), [None]);
    }

    #[test]
    fn a_fault_of_streams_waits_for_a_stream() {
        let faults = Faults::default();
        faults.inject(Fault::end_stream_after(1).on(Route::Any));
        faults.inject(Fault::stall_stream_after(1).on(Route::path("GET", "/v1/sessions/a/stream")));
        assert_eq!(kinds(&faults, "/v1/sessions", 1), [None]);
        assert_eq!(kinds(&faults, "/v1/sessions/b/stream", 2), [Some(FaultKind::EndStream), None]);
        assert_eq!(kinds(&faults, "/v1/sessions/a/stream", 1), [Some(FaultKind::StallStream)]);
    }

    #[test]
    fn cleared_faults_never_happen() {
        let faults = Faults::default();
        faults.inject(Fault::status(503).times(usize::MAX));
        faults.inject(Fault::status(503).times(usize::MAX));
        faults.inject_chaos(Chaos::seeded(1).rate(1.0));
        assert_eq!(faults.left(), usize::MAX);
        faults.clear();
        assert_eq!((faults.left(), kinds(&faults, "/v1/sessions", 1)), (0, vec![None]));
    }
}
