//! Which names of entries are taken, and which could lead elsewhere.

/// The longest name that is taken, in bytes, and the most steps in it.
const LONGEST: usize = 4096;
const DEEPEST: usize = 100;

/// A kind of system, by what its file names cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum System {
    Windows,
    Other,
}

impl System {
    pub(super) const HERE: Self = if cfg!(windows) { Self::Windows } else { Self::Other };
}

/// Returns the steps of a name, or why it is not taken.
pub(super) fn steps(name: &str, system: System) -> Result<Vec<&str>, &'static str> {
    if name.len() > LONGEST {
        return Err("its name is longer than 4096 bytes");
    }
    if name.starts_with('/') {
        return Err("its name is absolute");
    }
    let name = name.strip_suffix('/').unwrap_or(name);
    let steps: Vec<&str> = name.split('/').filter(|step| *step != ".").collect();
    if steps.is_empty() || steps.len() > DEEPEST {
        return Err("its name has no steps, or more than 100");
    }
    steps.iter().try_for_each(|step| check(step, system))?;
    Ok(steps)
}

fn check(step: &str, system: System) -> Result<(), &'static str> {
    let mut start = step.chars();
    let is_drive =
        start.next().is_some_and(|c| c.is_ascii_alphabetic()) && start.next() == Some(':');
    match step {
        "" => Err("its name has an empty step"),
        ".." => Err("its name has a `..`"),
        _ if step.contains('\\') => Err("its name has a backslash"),
        _ if step.chars().any(char::is_control) => Err("its name has a control character"),
        _ if is_drive => Err("its name has a drive letter"),
        _ if system == System::Windows && !is_windows_name(step) => {
            Err("its name means something else to Windows")
        }
        _ => Ok(()),
    }
}

fn is_windows_name(step: &str) -> bool {
    const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];
    let stem = step.split('.').next().unwrap_or_default().trim_end().to_lowercase();
    let is_port = ["com", "lpt"].iter().any(|port| {
        let mut number = stem.strip_prefix(port).unwrap_or_default().chars();
        let is_one = |c: char| c.is_ascii_digit() || matches!(c, '¹' | '²' | '³');
        number.next().is_some_and(is_one) && number.next().is_none()
    });
    !step.contains(['<', '>', ':', '"', '|', '?', '*'])
        && !step.ends_with(['.', ' '])
        && !DEVICES.contains(&stem.as_str())
        && !is_port
}

#[cfg(test)]
mod tests {
    use super::{System, steps};
    use proptest::prelude::{ProptestConfig, proptest};
    use std::path::{Component, Path};

    #[test]
    fn names_below_the_directory_are_taken() {
        let all = [System::Windows, System::Other];
        for system in all {
            assert_eq!(steps("a", system), Ok(vec!["a"]));
            assert_eq!(steps("a/b c/d.txt", system), Ok(vec!["a", "b c", "d.txt"]));
            assert_eq!(steps("a/b/", system), Ok(vec!["a", "b"]));
            assert_eq!(steps("./a/./b", system), Ok(vec!["a", "b"]));
            assert_eq!(steps("...", System::Other), Ok(vec!["..."]));
            assert_eq!(steps("ключ/履歴", system), Ok(vec!["ключ", "履歴"]));
        }
        assert_eq!(steps("12:30.log", System::Other), Ok(vec!["12:30.log"]));
        assert!(steps("a: b", System::Other).is_err(), "a drive letter, or what looks like one");
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in [
            "",
            "/",
            ".",
            "./",
            "..",
            "../a",
            "a/../b",
            "a/..",
            "/etc/passwd",
            "//host/share",
            "a//b",
            "\\a",
            "a\\..\\b",
            "\\\\host\\share",
            "C:",
            "c:/a",
            "a/C:b",
            "C:\\a",
            "a\0b",
            "a\nb",
            "a\u{85}",
        ] {
            for system in [System::Windows, System::Other] {
                assert!(steps(name, system).is_err(), "{name:?}");
            }
        }
        assert!(steps(&"a".repeat(4097), System::Other).is_err());
        assert!(steps(&"a/".repeat(101), System::Other).is_err());
        assert!(steps(&"a/".repeat(100), System::Other).is_ok());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]
        #[test]
        fn what_is_taken_leads_down_one_step_after_another(name in r"[./\\\\a:C\x00 -]{0,12}") {
            let Ok(steps) = steps(&name, System::HERE) else { return Ok(()) };
            for step in steps {
                let components: Vec<_> = Path::new(step).components().collect();
                assert!(matches!(components[..], [Component::Normal(_)]), "{name:?}: {components:?}");
            }
        }
    }

    #[test]
    fn what_windows_reads_otherwise_is_refused_there() {
        for name in [
            "ab:c",
            "12:30.log",
            "con",
            "CON.txt",
            "nul",
            "com1",
            "LPT9.log",
            "com0",
            "com¹",
            "lpt³.txt",
            "aux .txt",
            "a.",
            "a ",
            "a?",
            "a*b",
            "\"a\"",
            "a<b",
            "a|b",
        ] {
            assert!(steps(name, System::Windows).is_err(), "{name:?}");
            assert!(steps(name, System::Other).is_ok(), "{name:?}");
        }
        for name in ["console", "com", "com10", "a.con", "null", "comp.py", "comb", "lptx"] {
            assert!(steps(name, System::Windows).is_ok(), "{name:?}");
        }
    }
}
