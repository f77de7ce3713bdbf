//! Every public type crosses threads; a type that does not is a decision, not an accident.

use dari::*;

macro_rules! cross {
    ($bound:ident: $($name:ty),* $(,)?) => { $($bound::<$name>();)* };
}

fn shared<T: Send + Sync>() {}

fn sent<T: Send>() {}

#[test]
fn every_type_can_be_shared_or_at_least_sent() {
    cross!(shared:
        Actor, ActorType, Agent, AgentId, AgentList, AgentSummary, AgentVersion,
        AgentVersionDetails, AgentVersions, AgentWebhook<'static>, Agents<'static>, ApiError,
        ArgumentsError, AssistantItem, AssistantMessageCompleted, Batch,
        BatchCounts, BatchId, BatchItem, BatchItemStatus, BatchSession, BatchStatus,
        Batches<'static>, Client, ConfigError, ContentBlock, Cost, CostScope, Costs<'static>,
        CreateBatch, CreateSession, CreateVersion, Cursor, DecodeError, Done, Error, Event,
        EventId, EventKind, EventList, EventSource, EventType, ExtraFields, FailedError, FileError, FileId,
        FileRef, Files<'static>, FinalizedSnapshot, InvalidError, Limits, ListEvents,
        ListSessions, Message, MessageError<'static>, MessageId, MessageList, MessageStatus,
        MessageStatusChanged, MessageSummary, Messages<'static>, NewBatch, NewEvent, NewSession,
        NewToolResult, Output, ParseAmountError, ParseIdError, Part, Plain, Progress,
        PublishedVersion, QueuedMessage, RawJson, ReconnectPolicy, ReplyMeta, ReservedSnapshot,
        RetryPolicy, Secret, SendAgentMessage, SendEvents, SendMessage, SentEvents, SentMessage,
        Session, SessionId, SessionList, SessionStatus, SessionStatusChanged, Sessions<'static>,
        SetWebhook, SourceManifest, SourceSnapshotId, SourceSnapshotStatus,
        SourceSnapshots<'static>, StreamError, StreamStats, SubmitToolResult,
        SubmittedToolResult, Text, TimedOutError, Timeline, ToolCall, ToolCallEnded, ToolCallId,
        ToolCallItem, ToolCallOutcome, ToolCallReport, ToolCallRequested, ToolCallStatus,
        ToolExchange<'static>, ToolRequest, ToolResult, ToolResultSubmitted, ToolSet,
        Tools<'static>, Transcript, TranscriptItem, Transcripts<'static>, TransportError,
        UnknownObject, UnknownValue, Unregistered, UploadHeaders, UploadUrl, UploadedFile,
        UsdAmount, UserItem, UserMessage, VersionId, WebhookConfig, WebhookEventType, WebhookId,
        Workspaces<'static>,
        Call<'static, Message>, CallWithMeta<'static, Message>, WithMeta<Message>,
    );
    // These hold a closure or a future of the caller or the connection, and are used by one.
    cross!(sent:
        ArchiveContent,
        ClientBuilder, Download, DownloadWorkspace, EventStream, FileSource, ReserveSnapshot,
        RunTools<'static>, TextStream, UploadFile, UploadSnapshot<'static>,
        WaitForBatch<'static>, WaitForCost<'static>, WaitForMessage<'static>,
        Wait<'static, Message, ()>,
    );
}

#[cfg(feature = "publish")]
#[test]
fn those_of_the_feature_publish_too() {
    cross!(shared:
        AgentSource, PublishStep, SourceArchive, SourceDirectory,
    );
    cross!(sent:
        Publish<'static>,
    );
}

#[cfg(feature = "workspace")]
#[test]
fn those_of_the_feature_workspace_too() {
    cross!(shared:
        UnpackLimits, UnpackProgress, Unpacked,
    );
}

#[cfg(feature = "webhooks")]
#[test]
fn those_of_the_feature_webhooks_too() {
    use dari::webhooks::*;

    cross!(shared:
        BatchEnded, SchemeV1, SessionEnded, WebhookError, WebhookEvent, WebhookEventKind,
        WebhookSigner, WebhookVerifier,
    );
}

#[cfg(feature = "emulator")]
#[test]
fn those_of_the_feature_emulator_too() {
    use dari::emulator::*;

    cross!(shared:
        BehaviourError, CallResult, CallResults, Chaos, DeliveryAttempt, DeliveryPolicy, Emulator,
        EmulatorBuilder, ExternalCall, Fault, FaultKind, ReceivedRequest, Route, ScriptedAgent, Turn,
        TurnInput,
    );
}

/// Returns the names that a file gives to the world, of types and of some others.
fn names(source: &str) -> Vec<String> {
    let uses = source.split("\npub use ").skip(1).filter_map(|rest| rest.split(';').next());
    let words = uses.flat_map(|text| text.split(|c: char| !c.is_alphanumeric()));
    words.filter(|word| word.starts_with(char::is_uppercase)).map(str::to_owned).collect()
}

#[test]
fn no_public_type_is_left_out() {
    // Two traits, and an alias.
    const NO_TYPES: [&str; 3] = ["IntoContent", "Result", "SignatureScheme"];
    let here = include_str!("send_and_sync.rs");
    let asserted: Vec<&str> = here.split(|c: char| !c.is_alphanumeric()).collect();
    for file in ["src/lib.rs", "src/webhooks.rs", "src/emulator/mod.rs"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let names = names(&std::fs::read_to_string(path).unwrap());
        assert!(names.len() > 5, "{file}");
        for name in names.iter().filter(|name| !NO_TYPES.contains(&name.as_str())) {
            assert!(asserted.contains(&name.as_str()), "{file} makes {name} public");
        }
    }
}
