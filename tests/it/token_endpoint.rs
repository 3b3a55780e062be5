//! A token endpoint for Kafka's OAUTHBEARER: https, client credentials, and tokens that Kafka's own unsecured validator
//! takes (RFC 7515, appendix A.5).

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;

/// Starts one with this certificate and key; its address. Whoever knows the client's secret gets a token for `subject`.
pub(crate) fn start(config: ServerConfig, client: (&str, &str), subject: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let port = listener.local_addr().expect("a bound listener has an address").port();
    let (config, wanted) = (Arc::new(config), STANDARD.encode(format!("{}:{}", client.0, client.1)));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A connection that ends early is the client's affair.
            let _ = answer(stream, &config, &wanted, subject);
        }
    });
    format!("https://localhost:{port}/token")
}

fn answer(stream: TcpStream, config: &Arc<ServerConfig>, wanted: &str, subject: &str) -> io::Result<()> {
    let connection = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
    let mut reader = BufReader::new(StreamOwned::new(connection, stream));
    let (mut authorized, mut length) = (false, 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim_end().is_empty() {
            break;
        }
        let line = line.trim_end();
        match line.split_once(": ").map(|(name, value)| (name.to_ascii_lowercase(), value)) {
            Some((name, value)) if name == "authorization" => {
                authorized = value.strip_prefix("Basic ") == Some(wanted);
            }
            Some((name, value)) if name == "content-length" => length = value.parse().unwrap_or(0),
            _ => {}
        }
    }
    io::copy(&mut reader.by_ref().take(length), &mut io::sink())?;
    let (status, body) = if authorized {
        ("200 OK", json!({"access_token": token(subject), "token_type": "Bearer", "expires_in": 3600}))
    } else {
        ("401 Unauthorized", json!({"error": "invalid_client", "error_description": "unknown client"}))
    };
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let stream = reader.get_mut();
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    stream.conn.send_close_notify();
    stream.flush()
}

/// An unsecured JWS.
fn token(subject: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970").as_secs();
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({"sub": subject, "scope": "kafka", "iat": now, "exp": now + 3_600});
    format!("{}.{}.", part(json!({"alg": "none"})), part(claims))
}
