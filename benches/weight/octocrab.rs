//! Sends one message, a comment on an issue, and prints what came back.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let token = std::env::var("GITHUB_TOKEN")?;
    let client = octocrab::Octocrab::builder().personal_token(token).build()?;
    let issues = client.issues("owner", "repository");
    let comment = issues.create_comment(1, "Summarize this ticket.").await?;
    println!("{}", comment.body.unwrap_or_default());
    Ok(())
}
