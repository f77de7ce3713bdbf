//! Sends one message and prints the reply.

use async_openai::Client;
use async_openai::types::chat::{
    ChatCompletionRequestUserMessageArgs, CreateChatCompletionRequestArgs,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let message = ChatCompletionRequestUserMessageArgs::default()
        .content("Summarize this ticket.")
        .build()?;
    let request = CreateChatCompletionRequestArgs::default()
        .model("gpt-4o-mini")
        .messages([message.into()])
        .build()?;
    let reply = Client::new().chat().create(request).await?;
    for choice in reply.choices {
        println!("{}", choice.message.content.unwrap_or_default());
    }
    Ok(())
}
