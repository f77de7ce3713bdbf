//! A form of one file: what stands before and behind it (RFC 7578).

use crate::http::Envelope;
use crate::request::unforeseeable;

/// A form around a file.
pub(super) struct Form {
    pub(super) envelope: Envelope,
    pub(super) media_type: String,
}

/// Returns a form with one part named `file`; `name` must be a [`leaf`].
pub(super) fn around(name: &str, content_type: &str) -> Form {
    // No content can be made to hold it.
    let boundary = format!("dari-{}", unforeseeable());
    let head = format!(
        "--{boundary}\r\n\
         content-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         content-type: {content_type}\r\n\r\n"
    );
    let tail = format!("\r\n--{boundary}--\r\n");
    let media_type = format!("multipart/form-data; boundary={boundary}");
    Form { envelope: Envelope { head: head.into(), tail: tail.into() }, media_type }
}

/// Returns the last step of a path, of any system, as text that can stand in quotes.
///
/// A quote or a line end in a name could add headers or whole parts to the form.
pub(super) fn leaf(path: &str) -> String {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let harmless = |c: char| if c.is_control() || c == '"' { '_' } else { c };
    let name: String = name.trim().chars().map(harmless).collect();
    if matches!(&*name, "" | "." | "..") { "file".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::{around, leaf};
    use proptest::prelude::{ProptestConfig, proptest};

    #[test]
    fn a_name_is_reduced_to_its_last_step() {
        for (path, name) in [
            ("report.pdf", "report.pdf"),
            ("/etc/passwd", "passwd"),
            ("../../up.txt", "up.txt"),
            ("C:\\Users\\me\\a b.txt", "a b.txt"),
            ("mixed/of\\both.txt", "both.txt"),
            ("résumé 履歴.pdf", "résumé 履歴.pdf"),
            ("dir/", "file"),
            ("", "file"),
            ("  ", "file"),
            ("..", "file"),
            ("a\\..", "file"),
        ] {
            assert_eq!(leaf(path), name, "{path:?}");
        }
    }

    #[test]
    fn what_could_end_a_header_is_replaced() {
        assert_eq!(leaf("a\"; name=\"x"), "a_; name=_x");
        assert_eq!(leaf("a\r\nx-evil: 1\r\n\r\nbody"), "a__x-evil: 1____body");
        assert_eq!(leaf("a\0\u{7f}\u{85}b"), "a___b");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]
        #[test]
        fn no_name_breaks_out_of_the_form(name in "(?s).{0,40}") {
            let form = around(&leaf(&name), "text/plain");
            let head = String::from_utf8(form.envelope.head.to_vec()).unwrap();
            let lines: Vec<_> = head.split("\r\n").collect();
            assert_eq!(lines.len(), 5, "{head:?}");
            assert_eq!(lines[1].matches('"').count(), 4, "{head:?}");
            assert!(!lines[1].chars().any(char::is_control), "{head:?}");
        }
    }
}
