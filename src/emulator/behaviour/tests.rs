use serde_json::{Value, json};

use super::*;
use crate::emulator::script::Step as Played;

fn input(text: &str, number: u64) -> TurnInput {
    TurnInput {
        content: vec![json!({"type": "text", "text": text})],
        metadata: None,
        session_id: "sess_7".to_owned(),
        number,
    }
}

/// Returns the texts of the turn that answers this input.
fn texts(agent: &ScriptedAgent, text: &str, number: u64) -> Vec<String> {
    let texts = agent.play(&input(text, number)).into_iter().filter_map(|step| match step {
        Played::Text(text) => Some(text),
        _ => None,
    });
    texts.collect()
}

/// Returns where the error stands, and what it says.
#[track_caller]
fn refused(json: &Value) -> (String, String) {
    let error = ScriptedAgent::from_json(&json.to_string()).unwrap_err();
    (error.place().to_owned(), error.to_string())
}

#[track_caller]
fn assert_refused(json: &Value, place: &str, reason: &str) {
    let (at, said) = refused(json);
    assert_eq!(at, place, "{said}");
    assert!(said.contains(reason), "{said}");
    assert!(!said.contains('\n'), "{said}");
}

#[test]
fn each_session_starts_with_the_first_turn_and_the_last_repeats() {
    let text = json!({"turns": [[{"text": "one"}], [{"text": "two"}, {"text": "more"}]]});
    let agent = ScriptedAgent::from_json(&text.to_string()).unwrap();
    assert_eq!(texts(&agent, "", 1), ["one"]);
    assert_eq!(texts(&agent, "", 2), ["two", "more"]);
    assert_eq!(texts(&agent, "", 9), ["two", "more"]);
    assert_eq!(agent.name(), "scripted-agent");
}

#[test]
fn an_agent_without_turns_echoes() {
    let agent = ScriptedAgent::from_json(r#"{"name": "parrot"}"#).unwrap();
    assert_eq!((agent.name(), texts(&agent, "Hi", 1)), ("parrot", vec!["Hi".to_owned()]));
}

#[test]
fn what_the_user_said_is_filled_in_and_not_looked_at_again() {
    let text = "{{ input }} in {{session_id}}, turn {{turn}}: {{nothing}} {{ {{input";
    let text = json!({"turns": [[{"text": text}]]});
    let agent = ScriptedAgent::from_json(&text.to_string()).unwrap();
    let expected = "a {{turn}} b in sess_7, turn 3: {{nothing}} {{ {{input";
    assert_eq!(texts(&agent, "a {{turn}} b", 3), [expected]);
}

#[test]
fn json_of_a_step_is_filled_in_to_its_depth() {
    let text = json!({"turns": [[
        {"tool_call": {"name": "f", "arguments": {"a": [{"b": "{{input}}"}]}, "result": "{{turn}}"}},
        {"tool_call": {"name": "g", "error": {"m": "no {{input}}"}}},
        {"delay_ms": 5},
        {"fail": {"message": "{{input}}?"}}
    ]]});
    let agent = ScriptedAgent::from_json(&text.to_string()).unwrap();
    let steps = agent.play(&input("x", 2));
    let [Played::Tool(f), Played::Tool(g), Played::Delay(pause), Played::Fail(error)] = &steps[..]
    else {
        panic!("{steps:?}");
    };
    assert_eq!((&f.arguments, &f.outcome), (&json!({"a": [{"b": "x"}]}), &Ok(json!("2"))));
    assert_eq!((&g.arguments, &g.outcome), (&json!({}), &Err(json!({"m": "no x"}))));
    assert_eq!((pause.as_millis(), error), (5, &json!({"message": "x?"})));
}

#[test]
fn an_unknown_field_is_refused_with_its_place() {
    assert_refused(&json!({"turn": []}), "turn", "unknown field `turn`, expected one of `name`");
    let step = json!({"turns": [[{"text": "a"}, {"txt": "b"}]]});
    assert_refused(&step, "turns[0][1].txt", "unknown field `txt`");
    let call = json!({"turns": [[], [{"tool_call": {"nmae": "b"}}]]});
    assert_refused(&call, "turns[1][0].tool_call.nmae", "unknown field `nmae`");
    let call = json!({"external_tools": [{"name": "a"}, {"name": "b", "timeout": 1}]});
    let call = json!({"turns": [[call]]});
    assert_refused(&call, "turns[0][0].external_tools[1].timeout", "unknown field `timeout`");
    let fault = json!({"faults": [{"status": 500}, {"status": 503, "retry": 1}]});
    assert_refused(&fault, "faults[1].retry", "unknown field `retry`");
    let reply = json!({"status": 200, "content_type": "a/b", "body": "", "b": 1});
    assert_refused(&json!({"faults": [{"reply": reply}]}), "faults[0].reply.b", "unknown field");
}

#[test]
fn a_wrong_value_is_refused_with_its_place() {
    assert_refused(&json!({"turns": []}), "turns", "must hold a turn");
    assert_refused(&json!({"turns": [{"text": "a"}]}), "turns[0]", "expected a sequence");
    assert_refused(&json!({"turns": [[{"text": 7}]]}), "turns[0][0].text", "expected a string");
    let bare = json!({"turns": [["Hello"]]});
    assert_refused(&bare, "turns[0][0]", "expected a step, such as {\"text\": \"Hello\"}");
    assert_refused(&json!({"turns": [[{}]]}), "turns[0][0]", "a step is one of `text`");
    let two = json!({"turns": [[{"text": "a", "delay_ms": 1}]]});
    assert_refused(&two, "turns[0][0]", "a step is one of");
    let late = json!({"turns": [[{"delay_ms": -1}]]});
    assert_refused(&late, "turns[0][0].delay_ms", "invalid value: integer `-1`");
    let both = json!({"name": "f", "result": 1, "error": 2});
    let both = json!({"turns": [[{"tool_call": both}]]});
    assert_refused(&both, "turns[0][0].tool_call", "not both");
    let odd = json!({"turns": [[{"cost_usd": "1e3"}]]});
    assert_refused(&odd, "turns[0][0].cost_usd", "such as \"0.0123\"");
    let none = json!({"turns": [[{"external_tools": []}]]});
    assert_refused(&none, "turns[0][0].external_tools", "must hold a call");
    let nameless = json!({"turns": [[{"tool_call": {"result": 1}}]]});
    assert_refused(&nameless, "turns[0][0].tool_call", "missing field `name`");
}

#[test]
fn a_wrong_fault_is_refused_with_its_place() {
    let at = |fault: Value| json!({"faults": [fault]});
    assert_refused(&at(json!({"on": "any"})), "faults[0]", "a fault is one of `status`");
    assert_refused(&at(json!(503)), "faults[0]", "expected a fault, such as {\"status\": 503}");
    let two = json!({"status": 500, "garbage": true});
    assert_refused(&at(two), "faults[0]", "a fault is one of");
    assert_refused(&at(json!({"status": 99})), "faults[0].status", "from 200 to 599");
    assert_refused(&at(json!({"garbage": false})), "faults[0].garbage", "must be true");
    let route = json!({"status": 500, "on": "get_mesage"});
    assert_refused(&at(route), "faults[0].on", "`get_mesage` is no route");
    for other in ["get_message", "GET /v1/sessions/sess_1", "POST /v1/sessions/{id}/stream"] {
        let fault = at(json!({"end_stream_after": 1, "on": other}));
        assert_refused(&fault, "faults[0]", "happens to streams only");
    }
    for places in [json!([2, 2]), json!([3, 1])] {
        let fault = at(json!({"skip_events": places}));
        assert_refused(&fault, "faults[0].skip_events", "the first before the second");
    }
}

#[test]
fn text_that_is_not_json_is_refused_with_line_and_column() {
    for (text, said) in [
        ("{\n  \"turns\": [[{\"text\": \"a\"}]\n", "line 3 column 0"),
        ("{} x", "trailing characters at line 1 column 4"),
        ("", "EOF while parsing a value at line 1 column 0"),
        ("[1, 2]", "behaviour: [0]: "),
        (r#"{"name": "a", "name": "b"}"#, "duplicate field `name`"),
    ] {
        let error = ScriptedAgent::from_json(text).unwrap_err().to_string();
        assert!(error.contains(said), "{text}: {error}");
    }
}

#[test]
fn every_fault_of_the_guide_is_read() {
    let faults = json!([
        {"status": 503, "retry_after": 1, "on": "get_message", "after": 1, "times": 2},
        {"reply": {"status": 502, "content_type": "text/html", "body": "<h1>"}, "carried_out": true},
        {"garbage": true, "on": "GET /v1/sessions/{session_id}"},
        {"delay_ms": 20, "on": "any"},
        {"cut_body_after": 10},
        {"no_answer": true},
        {"disconnect": true},
        {"end_stream_after": 3},
        {"stall_stream_after": 3},
        {"repeat_events": [0, 2]},
        {"skip_events": [1, 2], "on": "GET /v1/sessions/sess_1/stream"}
    ]);
    let count = faults.as_array().unwrap().len();
    let text = json!({"faults": faults}).to_string();
    let mut agent = ScriptedAgent::from_json(&text).unwrap();
    let read = agent.take_faults();
    assert_eq!(read.len(), count);
    let shown = format!("{:?}", read[0]);
    for part in ["status: 503", "Some(1)", "GetMessage", "skip: 1", "times: 2"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn a_file_gives_its_name_to_the_agent_and_to_errors() {
    let folder = std::env::temp_dir().join(format!("dari-behaviour-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("support-agent.json");
    fs::write(&path, r#"{"turns": [[{"text": "Hello"}]]}"#).unwrap();
    assert_eq!(ScriptedAgent::from_file(&path).unwrap().name(), "support-agent");
    fs::write(&path, r#"{"turns": [[{"tetx": "Hello"}]]}"#).unwrap();
    let error = ScriptedAgent::from_file(&path).unwrap_err().to_string();
    assert!(error.contains("support-agent.json: turns[0][0].tetx: unknown field"), "{error}");
    fs::remove_dir_all(&folder).unwrap();
    let error = ScriptedAgent::from_file(&path).unwrap_err();
    assert!(error.to_string().ends_with("support-agent.json: cannot be read"), "{error}");
    assert!(error.source().unwrap().to_string().contains("No such file"), "{error:?}");
}
