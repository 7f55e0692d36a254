//! What virt-api calls: `/v1/namespaces/NS/virtualmachineinstances/NAME/ACTION` over HTTPS, with a
//! client certificate of KubeVirt's authority. Consoles are not played.

use super::{
    Agent, Args, guest,
    id::Id,
    log::{log, now},
};
use anyhow::{Context, Result};
use http::{Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::Full;
use hyper::{
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use kube::{ResourceExt, api::DynamicObject};
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use std::{convert::Infallible, net::Ipv4Addr, sync::Arc};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

pub(super) struct Server {
    listener: TcpListener,
    tls: TlsAcceptor,
}

impl Server {
    pub(super) async fn bind(args: &Args) -> Result<Self> {
        let mut authorities = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(&args.client_ca)? {
            authorities.add(certificate?)?;
        }
        let clients = WebPkiClientVerifier::builder(Arc::new(authorities)).build()?;
        let chain = CertificateDer::pem_file_iter(&args.certificate)?.collect::<Result<Vec<_>, _>>()?;
        let key = PrivateKeyDer::from_pem_file(&args.key)?;
        let config = ServerConfig::builder().with_client_cert_verifier(clients).with_single_cert(chain, key)?;
        Ok(Self { listener: TcpListener::bind((Ipv4Addr::LOCALHOST, args.port)).await?, tls: TlsAcceptor::from(Arc::new(config)) })
    }

    pub(super) async fn serve(self, agent: Arc<Agent>) -> Result<()> {
        loop {
            let (stream, _) = self.listener.accept().await.context("accept")?;
            let (tls, agent) = (self.tls.clone(), agent.clone());
            tokio::spawn(async move {
                let stream = match tls.accept(stream).await {
                    Ok(stream) => TokioIo::new(stream),
                    Err(error) => return log(format!("refused a connection: {error}")),
                };
                let service = service_fn(|request| answer(&agent, request));
                if let Err(error) = http1::Builder::new().serve_connection(stream, service).await {
                    log(format!("connection: {error}"));
                }
            });
        }
    }
}

async fn answer(agent: &Agent, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = match route(agent, &method, &path).await {
        Ok(response) => response,
        Err(error) => {
            log(format!("{method} {path}: {error:#}"));
            plain(StatusCode::INTERNAL_SERVER_ERROR)
        }
    };
    log(format!("{method} {path} {}", response.status().as_u16()));
    Ok(response)
}

async fn route(agent: &Agent, method: &Method, path: &str) -> Result<Response<Full<Bytes>>> {
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let ["v1", "namespaces", namespace, "virtualmachineinstances", name, action] = segments[..] else {
        return Ok(plain(StatusCode::NOT_FOUND));
    };
    let Some(machine) = agent.machine(namespace, name).await? else {
        return Ok(plain(StatusCode::NOT_FOUND));
    };
    match (method.as_str(), action) {
        ("PUT", "pause") => agent.set_paused(&machine, true).await,
        ("PUT", "unpause") => agent.set_paused(&machine, false).await,
        // Nothing of a guest shows these.
        ("PUT", "softreboot" | "reset" | "freeze" | "unfreeze") => Ok(plain(StatusCode::ACCEPTED)),
        ("GET", "guestosinfo") => Ok(json(r#"{"guestAgentVersion":"9.0","hostname":"simulated","os":{"name":"Simulated Linux"}}"#)),
        ("GET", "userlist" | "filesystemlist") => Ok(json(r#"{"items":[]}"#)),
        ("GET", "console" | "vnc") => Ok(plain(StatusCode::NOT_IMPLEMENTED)),
        _ => Ok(plain(StatusCode::NOT_FOUND)),
    }
}

impl Agent {
    async fn set_paused(&self, machine: &DynamicObject, paused: bool) -> Result<Response<Full<Bytes>>> {
        let id = Id { namespace: machine.namespace().unwrap_or_default(), name: machine.name_any(), uid: machine.uid().unwrap_or_default() };
        let written = self
            .update_machine(&id, |machine| {
                if paused {
                    guest::pause(machine, &now());
                } else {
                    guest::unpause(machine);
                }
            })
            .await?;
        if let Some(machine) = written {
            let (reason, message) =
                if paused { ("Paused", "VirtualMachineInstance paused") } else { ("Unpaused", "VirtualMachineInstance unpaused") };
            self.event(&machine, reason, message).await;
        }
        Ok(plain(StatusCode::ACCEPTED))
    }
}

fn plain(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

fn json(body: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}
