//! What a signature header may look like: anything odd refuses the whole of it.

use dari::webhooks::WebhookError;

use super::{BODY, OTHER, SECRET, assert_refused, headers, signed, verifier, verify};

#[test]
fn a_malformed_header_is_refused_even_with_a_good_signature_in_it() {
    let good = signed(SECRET, BODY);
    let digits = good.strip_prefix("v1=").unwrap();
    let malformed = [
        String::new(),
        " ".to_owned(),
        ",".to_owned(),
        digits.to_owned(),
        "v1".to_owned(),
        "v1=".to_owned(),
        format!("v1={}", digits.to_uppercase()),
        format!("v1={}", &digits[1..]),
        format!("v1={digits}0"),
        format!("v1={digits}{digits}"),
        format!("v1=0x{digits}"),
        format!("v1= {digits}"),
        format!("v1=\"{digits}\""),
        format!("v1=={digits}"),
        format!("v1={};", digits),
        format!("{good},"),
        format!(",{good}"),
        format!("{good},,{good}"),
        format!("{good},v1="),
        format!("v1=00,{good}"),
        format!("{good},v1"),
        format!("{good} {good}"),
        format!("{good};t=1"),
    ];
    for value in malformed {
        assert_refused(&value, &WebhookError::MalformedSignature);
    }
}

#[test]
fn an_unknown_element_refuses_the_whole_header() {
    let good = signed(SECRET, BODY);
    let digits = good.strip_prefix("v1=").unwrap();
    for (value, name) in [
        ("t=1776796800".to_owned(), "t"),
        (format!("t=1776796800,{good}"), "t"),
        (format!("{good},t=1776796800"), "t"),
        (format!("{good}, t=1776796800, {good}"), "t"),
        (format!("{good},t="), "t"),
        (format!("v0={digits},{good}"), "v0"),
        (format!("{good},v2={digits}"), "v2"),
        (format!("V1={digits}"), "V1"),
        (format!("v1 ={digits}"), "v1"),
        (format!("={digits}"), ""),
    ] {
        assert_refused(&value, &WebhookError::UnknownElement { name: name.to_owned() });
    }
}

#[test]
fn what_may_be_a_signature_or_a_secret_is_not_shown() {
    for value in ["c2lnbmF0dXJlIG9mIDMyIGJ5dGVz=", "whsec_3f9a2b77c1d04e=", "t+/="] {
        let name = "(not shown)".to_owned();
        assert_refused(value, &WebhookError::UnknownElement { name });
    }
}

#[test]
fn white_space_is_allowed_around_an_element_and_nowhere_else() {
    let good = signed(SECRET, BODY);
    for value in [format!(" {good}"), format!("{good}\t"), format!("{good} ,\t {good}")] {
        verifier().verify_signature(&value, BODY).unwrap();
    }
    for space in ["\n", "\r\n", "\u{a0}", "\u{2003}", "\u{b}", "\0"] {
        for value in [format!("{space}{good}"), format!("{good}{space}")] {
            verifier().verify_signature(&value, BODY).unwrap_err();
        }
    }
}

#[test]
fn a_repeated_header_is_read_as_one_list() {
    let (good, wrong) = (signed(SECRET, BODY), signed(OTHER, BODY));
    for lines in [[&*good, &*wrong], [&wrong, &good], [&good, &good]] {
        verify(&lines).unwrap();
        verify(&[&lines.join(", ")]).unwrap();
    }
    assert_eq!(verify(&[&wrong, &wrong]), Err(WebhookError::WrongSignature));
    for odd in ["t=1", "", "v1=", "v1"] {
        for lines in [[&*good, odd], [odd, &*good]] {
            assert_eq!(verify(&lines).unwrap_err(), verify(&[&lines.join(",")]).unwrap_err());
        }
    }
}

#[test]
fn a_header_that_is_no_text_is_refused() {
    let good = signed(SECRET, BODY);
    for odd in [&b"\xff"[..], b"v1=\xc3\xa9", "v1=é".as_bytes()] {
        for lines in [vec![odd], vec![good.as_bytes(), odd], vec![odd, good.as_bytes()]] {
            let refused = verifier().verify(&headers(&lines), BODY);
            assert_eq!(refused, Err(WebhookError::MalformedSignature), "{lines:?}");
        }
    }
    let wide = "ａ".repeat(64);
    assert_refused_text(&format!("v1={wide}"));
    assert_refused_text(&format!("v1={}é", &good[3..65]));
}

fn assert_refused_text(value: &str) {
    let refused = verifier().verify_signature(value, BODY);
    assert_eq!(refused, Err(WebhookError::MalformedSignature), "{value}");
}
