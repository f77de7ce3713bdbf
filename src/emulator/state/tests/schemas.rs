//! Output schemas: what fits, what does not, and where.

use serde_json::{Value, json};

use super::{Bench, body, refused, value};
use crate::emulator::external::ExternalCall;
use crate::emulator::refusal::Refusal;
use crate::emulator::script::Turn;
use crate::emulator::state::schema::misfit;

/// Returns where a result fails its schema, below `body.result`.
fn place(schema: &Value, result: &Value) -> Option<Value> {
    misfit(schema, result).map(|problem| {
        assert_eq!(problem.loc[..2], ["body", "result"]);
        json!(problem.loc[2..])
    })
}

#[test]
fn a_result_that_fails_its_schema_is_refused_and_the_message_keeps_waiting() {
    let schema = json!({"type": "object", "required": ["priority"],
        "properties": {"priority": {"enum": ["low", "high"]}}});
    let call = ExternalCall::new("lookup", json!({})).output_schema(schema);
    let mut bench = Bench::with_turns([Turn::new().external_tools([call]).text("Done.")]);
    bench.start(&body("Hi"));
    bench.message("msg_1");
    let size = bench.events("sess_1").len();
    for result in [json!(null), json!("high"), json!({}), json!({"priority": "urgent"})] {
        let refusal = refused(bench.submit("msg_1", "call_1_1", &json!({"result": result})));
        let Refusal::Invalid(problems) = refusal else { panic!("{refusal:?}") };
        assert_eq!(problems[0].kind, "schema_mismatch");
    }
    assert_eq!(bench.message("msg_1")["status"], "waiting_for_tool");
    assert_eq!(bench.events("sess_1").len(), size);
    value(bench.submit("msg_1", "call_1_1", &json!({"result": {"priority": "high"}})));
    assert_eq!(bench.message("msg_1")["status"], "completed");
}

#[test]
fn an_error_is_not_checked_against_the_schema() {
    for fields in [json!({"is_error": true}), json!({"is_error": true, "result": "no route"})] {
        let call = ExternalCall::new("lookup", json!({})).output_schema(json!({"type": "object"}));
        let mut bench = Bench::with_turns([Turn::new().external_tools([call])]);
        bench.start(&body("Hi"));
        bench.message("msg_1");
        value(bench.submit("msg_1", "call_1_1", &fields));
        assert_eq!(bench.message("msg_1")["status"], "completed");
    }
}

#[test]
fn types_are_those_of_json_schema() {
    let samples =
        [json!(null), json!(true), json!("a"), json!([]), json!({}), json!(1.5), json!(2)];
    let expected = [
        ("null", vec![0]),
        ("boolean", vec![1]),
        ("string", vec![2]),
        ("array", vec![3]),
        ("object", vec![4]),
        ("number", vec![5, 6]),
        ("integer", vec![6]),
        ("odd", vec![]),
    ];
    for (name, fitting) in expected {
        for (index, sample) in samples.iter().enumerate() {
            let found = place(&json!({"type": name}), sample);
            assert_eq!(found.is_none(), fitting.contains(&index), "{name} {sample}");
        }
    }
    assert_eq!(place(&json!({"type": "integer"}), &json!(3.0)), None);
    assert_eq!(place(&json!({"type": ["string", "null"]}), &json!(null)), None);
    assert_eq!(place(&json!({"type": ["string", "null"]}), &json!(1)), Some(json!([])));
}

#[test]
fn values_are_compared_as_json() {
    let one = json!({"const": 1});
    assert_eq!(place(&one, &json!(1.0)), None);
    assert_eq!(place(&one, &json!("1")), Some(json!([])));
    assert_eq!(place(&json!({"const": null}), &json!(0)), Some(json!([])));
    let some = json!({"enum": ["a", null, {"b": [1]}]});
    assert_eq!(place(&some, &json!({"b": [1]})), None);
    assert_eq!(place(&some, &json!("b")), Some(json!([])));
    assert_eq!(place(&json!({"enum": []}), &json!(1)), Some(json!([])));
}

#[test]
fn problems_name_the_place_inside() {
    let schema = json!({"properties": {"list": {"items": {"required": ["id"],
        "properties": {"id": {"type": "integer"}}}}}, "additionalProperties": false});
    assert_eq!(place(&schema, &json!({"list": [{"id": 1}, {"id": 2, "more": 1}]})), None);
    assert_eq!(place(&schema, &json!({"list": [{"id": 1}, {}]})), Some(json!(["list", 1, "id"])));
    assert_eq!(place(&schema, &json!({"list": [{"id": "1"}]})), Some(json!(["list", 0, "id"])));
    assert_eq!(place(&schema, &json!({"list": [], "odd": 1})), Some(json!(["odd"])));
    assert_eq!(
        place(&json!({"additionalProperties": {"type": "string"}}), &json!({"a": 1})),
        Some(json!(["a"]))
    );
}

#[test]
fn what_is_no_schema_and_what_is_not_known_lets_everything_pass() {
    for schema in [
        json!(true),
        json!({}),
        json!(7),
        json!({"type": 1}),
        json!({"required": "a"}),
        json!({"properties": [1]}),
        json!({"minimum": 10}),
    ] {
        assert_eq!(place(&schema, &json!({"a": 1})), None, "{schema}");
    }
    assert_eq!(place(&json!(false), &json!(1)), Some(json!([])));
}
