//! What this process holds: memory and sockets.

use std::fs;

use peak_alloc::PeakAlloc;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// How much the heap may have grown at the end: a leak of 100 bytes shows after 10,000 operations.
const HEAP_MAY_GROW: usize = 1 << 20;
/// How much more the system may have given: the allocator does not hand back all that is free.
const RESIDENT_MAY_GROW: usize = 16 << 20;

/// Memory at one moment, in bytes.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    /// What is allocated.
    pub(crate) heap: usize,
    /// What the system has given; none where it does not say, as on other systems than Linux.
    pub(crate) resident: Option<usize>,
}

impl Memory {
    pub(crate) fn now() -> Self {
        Self { heap: HEAP.current_usage(), resident: resident() }
    }

    /// Returns whether memory has not grown since then.
    pub(crate) fn is_flat_since(self, start: Self) -> bool {
        let resident = self.resident.zip(start.resident);
        self.heap <= start.heap + HEAP_MAY_GROW
            && resident.is_none_or(|(now, then)| now <= then + RESIDENT_MAY_GROW)
    }
}

fn resident() -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

/// Returns how many sockets are open; none where the system does not say.
pub(crate) fn sockets() -> Option<usize> {
    let open = fs::read_dir("/proc/self/fd").ok()?;
    let targets = open.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
    Some(targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count())
}

#[cfg(test)]
mod tests {
    use super::{HEAP_MAY_GROW, Memory, RESIDENT_MAY_GROW};

    #[test]
    fn memory_is_flat_within_its_bounds() {
        let start = Memory { heap: 1_000, resident: Some(2_000) };
        let more = |heap, resident| Memory { heap: 1_000 + heap, resident: Some(2_000 + resident) };
        assert!(more(HEAP_MAY_GROW, RESIDENT_MAY_GROW).is_flat_since(start));
        assert!(!more(HEAP_MAY_GROW + 1, 0).is_flat_since(start));
        assert!(!more(0, RESIDENT_MAY_GROW + 1).is_flat_since(start));
        assert!(Memory { heap: 0, resident: None }.is_flat_since(start));
    }
}
