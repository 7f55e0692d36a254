//! A command in the Pod `a`: its streams and its end go into the transcript.

use futures::future::join3;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::AttachParams;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

use super::Talk;

impl Talk {
    pub(crate) async fn exec(&mut self, command: &[&str], input: Option<&str>) {
        self.record("EXEC", AttachParams::default(), command, input).await;
    }

    pub(crate) async fn exec_in(&mut self, container: &str, command: &[&str], input: Option<&str>) {
        self.record(&format!("EXEC in {container}"), AttachParams::default().container(container), command, input).await;
    }

    pub(crate) async fn exec_on_terminal(&mut self, command: &[&str]) {
        self.record("EXEC on a terminal", AttachParams::interactive_tty(), command, None).await;
    }

    async fn record(&mut self, what: &str, params: AttachParams, command: &[&str], input: Option<&str>) {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &self.normal.fill("{ns}"));
        let params = params.stdin(input.is_some());
        let mut process = pods.exec("a", command.iter().copied(), &params).await.expect("a session");
        let status = process.take_status().expect("a status to come");
        let (stdout, stderr) = (process.stdout(), process.stderr());
        if let Some(input) = input {
            let mut stdin = process.stdin().expect("an input");
            stdin.write_all(input.as_bytes()).await.expect("written");
            stdin.shutdown().await.expect("closed");
        }
        let (stdout, stderr, status) = join3(all(stdout), all(stderr), status).await;
        let ended = json!({"request": format!("{what} {}", command.join(" ")), "input": input, "stdout": stdout, "stderr": stderr, "status": status});
        let ended = self.normal.value(ended, false);
        self.steps.push(ended);
    }
}

async fn all(stream: Option<impl AsyncRead + Unpin>) -> Option<String> {
    let mut text = String::new();
    stream?.read_to_string(&mut text).await.expect("text");
    Some(text)
}
