//! The body of "create batch".

use std::collections::BTreeMap;

use serde::Deserialize;

use super::check::{self, At};
use super::{NewSession, UserMessage, extract, parse, refuse};
use crate::emulator::refusal::{Problem, Refusal};

/// How many items a batch may have, and how many characters its key (contract §8).
const MOST_ITEMS: usize = 100;
const LONGEST_KEY: usize = 128;

/// Sessions to start together, all with one agent.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::emulator) struct NewBatch {
    #[serde(default)]
    pub(in crate::emulator) idempotency_key: Option<String>,
    pub(in crate::emulator) items: Vec<BatchItem>,
}

/// One session to start; secrets are checked and then forgotten.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::emulator) struct BatchItem {
    pub(in crate::emulator) agent_id: String,
    #[serde(default)]
    pub(in crate::emulator) version_id: Option<String>,
    #[serde(default)]
    pub(in crate::emulator) llm_id: Option<String>,
    #[serde(default)]
    pub(in crate::emulator) metadata: Option<BTreeMap<String, String>>,
    pub(in crate::emulator) message: UserMessage,
}

impl BatchItem {
    /// Returns what the item says of its session.
    pub(in crate::emulator) fn session(&self) -> NewSession {
        NewSession {
            version_id: self.version_id.clone(),
            llm_id: self.llm_id.clone(),
            metadata: self.metadata.clone(),
            ..NewSession::default()
        }
    }
}

/// Reads the body of "create batch".
pub(in crate::emulator) fn new_batch(bytes: &[u8]) -> Result<NewBatch, Refusal> {
    let document = parse(bytes)?;
    let mut problems = Vec::new();
    check_batch(&At::body(&document), &mut problems);
    refuse(problems)?;
    let mut batch = extract::<NewBatch>(bytes)?;
    for item in &mut batch.items {
        item.message = item.message.clone().compacted();
    }
    // As in the header, an empty key is none.
    batch.idempotency_key = batch.idempotency_key.filter(|key| !key.is_empty());
    Ok(batch)
}

fn check_batch(at: &At<'_>, problems: &mut Vec<Problem>) {
    if let Some(key) = at.field("idempotency_key") {
        check::is_string(&key, problems);
        let length = key.value.as_str().map_or(0, |key| key.chars().count());
        if length > LONGEST_KEY {
            problems.push(key.problem("too_long", "must have at most 128 characters"));
        }
    }
    let Some(items) = check::required(at, "items", problems) else {
        return;
    };
    check::list(&items, problems);
    let each = items.items();
    if each.len() > MOST_ITEMS {
        return problems.push(items.problem("too_long", "must have at most 100 items"));
    }
    let agent = each.first().and_then(|first| first.field("agent_id"));
    for item in &each {
        check_item(item, problems);
        if let (Some(mine), Some(agent)) = (item.field("agent_id"), &agent) {
            if mine.value != agent.value {
                problems.push(mine.problem("value_conflict", "must be the agent of every item"));
            }
        }
    }
}

fn check_item(at: &At<'_>, problems: &mut Vec<Problem>) {
    if !check::is_object(at, problems) {
        return;
    }
    let agent = check::required(at, "agent_id", problems);
    for text in agent.iter().chain(&at.field("version_id")).chain(&at.field("llm_id")) {
        check::is_string(text, problems);
    }
    if let Some(metadata) = at.field("metadata") {
        check::session_metadata(&metadata, problems);
    }
    if let Some(secrets) = at.field("secrets") {
        check::secrets(&secrets, problems);
    }
    if let Some(message) = check::required(at, "message", problems) {
        if check::is_object(&message, problems) {
            check::message(&message, problems);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::new_batch;
    use crate::emulator::refusal::Refusal;
    use serde_json::{Value, json};

    fn item(agent: &str) -> Value {
        json!({"agent_id": agent, "message": {"content": [{"type": "text", "text": "hi"}]}})
    }

    fn problems(body: &Value) -> Vec<(Value, &'static str)> {
        match new_batch(body.to_string().as_bytes()).unwrap_err() {
            Refusal::Invalid(problems) => {
                problems.into_iter().map(|it| (json!(it.loc), it.kind)).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_batch_is_read_and_unknown_fields_are_ignored() {
        let mut full = item("agt_1");
        full["version_id"] = json!("ver_1");
        full["llm_id"] = Value::Null;
        full["metadata"] = json!({"a": "b"});
        full["secrets"] = json!({"TOKEN": "hush"});
        full["name"] = json!(7);
        full["message"]["metadata"] = json!({"n": [1.50]});
        let body = json!({"idempotency_key": "k", "items": [full, item("agt_1")], "tomorrow": 1});
        let read = new_batch(body.to_string().as_bytes()).unwrap();
        assert!(!format!("{read:?}").contains("hush"));
        assert_eq!(read.idempotency_key.as_deref(), Some("k"));
        let session = read.items[0].session();
        assert_eq!(session.version_id.as_deref(), Some("ver_1"));
        assert_eq!(session.metadata.unwrap()["a"], "b");
        assert!(session.name.is_none() && session.llm_id.is_none());
        let message = &read.items[0].message;
        assert_eq!(message.metadata.as_ref().unwrap().get(), r#"{"n":[1.5]}"#);
        for key in [Value::Null, json!("")] {
            let body = json!({"idempotency_key": key, "items": [item("agt_1")]});
            assert_eq!(new_batch(body.to_string().as_bytes()).unwrap().idempotency_key, None);
        }
    }

    #[test]
    fn a_batch_that_breaks_the_contract_names_every_place() {
        assert_eq!(problems(&json!({})), [(json!(["body", "items"]), "missing")]);
        assert_eq!(problems(&json!({"items": []})), [(json!(["body", "items"]), "value_empty")]);
        let many = json!({"items": vec![item("agt_1"); 101]});
        assert_eq!(problems(&many), [(json!(["body", "items"]), "too_long")]);
        let key = |length| json!({"idempotency_key": "ß".repeat(length), "items": [item("a")]});
        assert_eq!(problems(&key(129)), [(json!(["body", "idempotency_key"]), "too_long")]);
        assert!(new_batch(key(128).to_string().as_bytes()).is_ok());
        let two = json!({"items": [item("agt_1"), item("agt_1"), item("agt_2")]});
        let place = json!(["body", "items", 2, "agent_id"]);
        assert_eq!(problems(&two), [(place, "value_conflict")]);
        let mut bad = item("agt_1");
        bad["metadata"] = json!({"n": 1});
        bad["secrets"] = json!({"lower": "hush"});
        bad["message"]["content"] = json!([]);
        let found = problems(&json!({"idempotency_key": 7, "items": [bad, 3, {"message": "hi"}]}));
        let expected = [
            (json!(["body", "idempotency_key"]), "type_wrong"),
            (json!(["body", "items", 0, "metadata", "n"]), "type_wrong"),
            (json!(["body", "items", 0, "secrets"]), "name_invalid"),
            (json!(["body", "items", 0, "message", "content"]), "value_empty"),
            (json!(["body", "items", 1]), "type_wrong"),
            (json!(["body", "items", 2, "agent_id"]), "missing"),
            (json!(["body", "items", 2, "message"]), "type_wrong"),
        ];
        assert_eq!(found, expected);
    }
}
