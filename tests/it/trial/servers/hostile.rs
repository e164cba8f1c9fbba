//! The servers: what each does to whoever asks it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Secrets that servers put into what they say.
pub(super) const SECRETS: [&str; 3] = [
    "hf_TrialTrialTrialTrialTrialTrialTri",
    "AKIATRIALTRIALTRIAL1",
    "FwoGZXIvYXdzTrialTrialTrialTrialTrialTrialTrialTrialTrialTrialTrial",
];

/// The program's own secret key, which services may quote too. Only the program knows what it is.
pub(in crate::trial) const OWN_SECRET: &str = "trial-secret-access-key";

/// One way to do harm.
pub(in crate::trial) struct Mode {
    pub(super) name: &'static str,
    act: Act,
    /// Which calls it can be met by.
    pub(super) meets: fn(&str) -> bool,
    /// For which calls its answer may pass for a good one.
    pub(super) works: fn(&str) -> bool,
    /// It ends at once, so that the program, which is patient, can meet it.
    pub(super) quick: bool,
    /// The program meets it in a short run too.
    pub(super) sampled: bool,
    /// Only in a long run.
    pub(super) long: bool,
}

#[derive(Clone, Copy)]
enum Act {
    /// Nobody listens.
    Refuse,
    /// What was sent is not read, so that closing resets the connection, after this was said.
    Reset(&'static str),
    /// Closed as soon as the request was heard.
    Close,
    /// These bytes and no more.
    Say(fn(&Heard) -> Vec<u8>),
    /// These bytes, and then the second ones for ever.
    SayForEver(&'static str, fn() -> Vec<u8>),
    /// One byte now and then.
    Drip(&'static str, u8),
    /// Nothing at all.
    Wait,
}

/// What a server knows of a request.
struct Heard {
    json: bool,
    operation: String,
    number: usize,
    elsewhere: String,
}

fn all(_: &str) -> bool {
    true
}

fn none(_: &str) -> bool {
    false
}

const fn mode(name: &'static str, act: Act) -> Mode {
    Mode { name, act, meets: all, works: none, quick: true, sampled: false, long: false }
}

impl Mode {
    const fn sampled(mut self) -> Self {
        self.sampled = true;
        self
    }

    const fn slow(mut self) -> Self {
        self.quick = false;
        self
    }

    const fn for_long(mut self) -> Self {
        self.long = true;
        self
    }

    const fn meets(mut self, meets: fn(&str) -> bool) -> Self {
        self.meets = meets;
        self
    }

    const fn works(mut self, works: fn(&str) -> bool) -> Self {
        self.works = works;
        self
    }
}

/// A server that only counts.
pub(in crate::trial) const ELSEWHERE: &Mode = &mode("elsewhere", Act::Close);

/// A server that answers as a proxy that wants to be signed in to.
pub(in crate::trial) const PROXY: &Mode = &mode("proxy", Act::Say(|_| http("403 Forbidden", "text/html", HTML)));

const HTML: &str = "<html><head><title>Sign in \x1b]0;t\x07 hf_TrialTrialTrialTrialTrialTrialTri</title></head></html>";

pub(super) static MODES: &[Mode] = &[
    mode("refused", Act::Refuse).sampled(),
    mode("reset at once", Act::Reset("")),
    mode("reset in the body", Act::Reset("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<a>")),
    mode("closed", Act::Close),
    mode("short body", Act::Say(|_| text("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<a>"))),
    mode("dripped headers", Act::Drip("HTTP/1.1 200 OK\r\nX-Slow: ", b'x')).slow(),
    mode("dripped body", Act::Drip("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b' ')).slow(),
    mode("never answers", Act::Wait).slow(),
    mode("HTML 200", Act::Say(|_| http("200 OK", "text/html", HTML))).sampled(),
    mode("HTML 403", Act::Say(|_| http("403 Forbidden", "text/html", HTML))),
    mode("HTML 502", Act::Say(|_| http("502 Bad Gateway", "text/html", HTML))),
    mode("empty 200", Act::Say(|_| http("200 OK", "text/xml", ""))),
    mode("empty 204", Act::Say(|_| text("HTTP/1.1 204 No Content\r\n\r\n"))),
    mode("empty 304", Act::Say(|_| text("HTTP/1.1 304 Not Modified\r\n\r\n"))),
    mode("empty 404", Act::Say(|_| http("404 Not Found", "text/xml", ""))),
    mode("switching protocols", Act::Say(|_| text("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"))),
    mode("broken XML", Act::Say(|_| http("200 OK", "text/xml", "<DescribeStacksResponse><Desc"))),
    mode("other XML", Act::Say(|_| http("200 OK", "text/xml", "<rss><channel>news</channel></rss>"))),
    mode("broken JSON", Act::Say(|_| http("200 OK", "application/x-amz-json-1.1", "{\"EndpointName\": "))),
    mode("other JSON", Act::Say(|_| http("200 OK", "application/x-amz-json-1.1", "[1, {\"a\": null}]"))),
    mode("no UTF-8", Act::Say(|_| [http_head("200 OK", "text/xml", 4).as_slice(), b"<\xff\xfe>"].concat())),
    mode("noise", Act::Say(|_| (0_u16..4096).map(|byte| (byte.wrapping_mul(193) >> 3) as u8).collect())),
    mode("TLS", Act::Say(|_| b"\x15\x03\x01\x00\x02\x02\x28".to_vec())),
    mode("HTTP/0.9", Act::Say(|_| text("<html>hello</html>"))),
    mode("HTTP/2", Act::Say(|_| b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64".to_vec())),
    mode(
        "gzip that is none",
        Act::Say(|_| text("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc")),
    ),
    mode("500", Act::Say(|heard| fault(heard, "500 Internal", "InternalFailure", "try again"))),
    mode("503", Act::Say(|heard| fault(heard, "503 Unavailable", "ServiceUnavailable", ""))),
    mode("throttled", Act::Say(|heard| fault(heard, "400 Bad", "Throttling", "Rate exceeded"))).slow(),
    mode(
        "429 for years",
        Act::Say(|_| text("HTTP/1.1 429 Too Many\r\nRetry-After: 99999\r\nContent-Length: 0\r\n\r\n")),
    )
    .slow(),
    mode("301", Act::Say(|heard| redirect("301 Moved", heard))).sampled(),
    mode("302", Act::Say(|heard| redirect("302 Found", heard))),
    mode("307", Act::Say(|heard| redirect("307 Temporary", heard))),
    mode("308", Act::Say(|heard| redirect("308 Permanent", heard))),
    mode("expired", Act::Say(|heard| fault(heard, "403 No", "ExpiredToken", "The security token is expired"))),
    mode(
        "unknown key",
        Act::Say(|heard| fault(heard, "403 No", "InvalidClientTokenId", "AKIATRIALTRIALTRIAL1 is none")),
    ),
    mode("wrong signature", Act::Say(|heard| fault(heard, "403 No", "SignatureDoesNotMatch", QUOTED))).sampled(),
    mode("wrong time", Act::Say(|heard| fault(heard, "403 No", "RequestTimeTooSkewed", "The difference is too large"))),
    mode("denied", Act::Say(|heard| fault(heard, "403 No", "AccessDenied", "User: x may not"))),
    mode("an unknown code", Act::Say(|heard| fault(heard, "418 Teapot", "IAm\x07ATeapot", "short and stout"))),
    mode("control characters", Act::Say(|heard| fault(heard, "400 Bad", "Odd", "\u{9b}31m\u{202e}\u{1b}[2J\u{7}x")))
        .sampled(),
    mode("a long message", Act::Say(|heard| fault(heard, "400 Bad", "Long", &"long ".repeat(200_000)))).sampled(),
    mode("endless body", Act::SayForEver("HTTP/1.1 200 OK\r\n\r\n<a>", || vec![b'x'; 1 << 16])),
    mode("endless headers", Act::SayForEver("HTTP/1.1 200 OK\r\n", || "X-More: and more\r\n".repeat(512).into_bytes())),
    mode("100 for ever", Act::SayForEver("", || "HTTP/1.1 100 Continue\r\n\r\n".repeat(256).into_bytes())).slow(),
    mode("64 MiB", Act::Say(|_| http("200 OK", "text/xml", &"<b>more</b>".repeat((64 << 20) / 11)))),
    mode("a bomb of entities", Act::Say(|_| http("200 OK", "text/xml", &bomb()))),
    mode("deep XML", Act::Say(|_| http("200 OK", "text/xml", &"<a>".repeat(2 << 20)))),
    mode("deep JSON", Act::Say(|_| http("200 OK", "application/x-amz-json-1.1", &"{\"a\":[".repeat(1 << 20)))),
    mode("deep fault", Act::Say(|_| http("400 Bad", "text/xml", &"<ErrorResponse>".repeat(1 << 18)))),
    mode("a huge chunk", Act::Say(|_| chunked("ffffffffffffffff"))),
    mode("a chunk beyond counting", Act::Say(|_| chunked("fffffffffffffffffffffffff"))),
    mode("a huge length", Act::Say(|_| length("9223372036854775807"))),
    mode("a length beyond counting", Act::Say(|_| length("99999999999999999999999"))),
    mode("a negative length", Act::Say(|_| length("-1"))),
    mode("two lengths", Act::Say(|_| text("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n<a/>"))),
    mode("impossible values", Act::Say(impossible)).works(all),
    mode("a key that cannot be", Act::Say(keys)).meets(none),
    mode("a token that repeats", Act::Say(|heard| paged(heard, "again"))).meets(pages),
    mode("new tokens for ever", Act::Say(|heard| paged(heard, &heard.number.to_string()))).meets(pages).for_long(),
];

/// What AWS quotes where a signature is wrong.
const QUOTED: &str = "The canonical request should have been 'POST / x-amz-security-token:\
                      FwoGZXIvYXdzTrialTrialTrialTrialTrialTrialTrialTrialTrialTrialTrial trial-secret-access-key'";

fn pages(operation: &str) -> bool {
    ["DescribeChangeSet", "ListChangeSets"].contains(&operation)
}

fn text(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

fn http_head(status: &str, form: &str, length: usize) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Type: {form}\r\nContent-Length: {length}\r\n\r\n").into_bytes()
}

fn http(status: &str, form: &str, body: &str) -> Vec<u8> {
    [http_head(status, form, body.len()).as_slice(), body.as_bytes()].concat()
}

fn chunked(size: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{size}\r\n<a>\r\n").into_bytes()
}

fn length(length: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n<a>").into_bytes()
}

fn redirect(status: &str, heard: &Heard) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nLocation: {}/\r\nContent-Length: 0\r\n\r\n", heard.elsewhere).into_bytes()
}

fn fault(heard: &Heard, status: &str, code: &str, message: &str) -> Vec<u8> {
    if heard.json {
        let body = serde_json::json!({"__type": code, "message": message}).to_string();
        return http(status, "application/x-amz-json-1.1", &body);
    }
    let body = format!(
        "<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>AKIATRIALTRIALTRIAL1</RequestId></ErrorResponse>"
    );
    http(status, "text/xml", &body)
}

fn bomb() -> String {
    let level = |n: usize| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10));
    let levels: String = (1..30).map(level).collect();
    format!("<!DOCTYPE a [<!ENTITY l0 \"lol\">{levels}]><a>&l29;</a>")
}

/// A well-formed answer of the operation, whose parts are not what they must be.
fn impossible(heard: &Heard) -> Vec<u8> {
    if heard.json {
        let body = "{\"EndpointName\": 7, \"EndpointArn\": [], \"CreationTime\": 1e400}";
        return http("200 OK", "application/x-amz-json-1.1", body);
    }
    let item = "<member><StackId/><StackName></StackName><StackStatus>?</StackStatus><EventId>\u{1}</EventId>\
                <CreationTime>99999-99-99T99:99:99Z</CreationTime><Timestamp>never</Timestamp></member>";
    let inside = format!(
        "<Stacks>{item}</Stacks><StackEvents>{item}</StackEvents><Account/><Role><CreateDate>x</CreateDate></Role>\
         <StackId/><Id/><TemplateBody/><CreationTime>yesterday</CreationTime>"
    );
    answer(heard, &inside)
}

/// Credentials of a role, with a key that no header can carry.
fn keys(heard: &Heard) -> Vec<u8> {
    let keys = "<Credentials><AccessKeyId>A\n\u{e9}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
                <SessionToken>t</SessionToken><Expiration>2036-11-23T09:00:00Z</Expiration></Credentials>";
    answer(heard, keys)
}

/// A page that another follows.
fn paged(heard: &Heard, next: &str) -> Vec<u8> {
    let inside = format!(
        "<ChangeSetName>n</ChangeSetName><ChangeSetId>c</ChangeSetId><StackId>s</StackId>\
         <CreationTime>2026-11-23T09:00:00Z</CreationTime><Status>CREATE_COMPLETE</Status>\
         <ExecutionStatus>AVAILABLE</ExecutionStatus><NextToken>{next}</NextToken>"
    );
    answer(heard, &inside)
}

fn answer(heard: &Heard, inside: &str) -> Vec<u8> {
    let operation = &heard.operation;
    let body = format!("<{operation}Response><{operation}Result>{inside}</{operation}Result></{operation}Response>");
    let head = format!("HTTP/1.1 200 OK\r\nx-amzn-RequestId: 7f1d\r\nContent-Length: {}\r\n\r\n", body.len());
    [head, body].concat().into_bytes()
}

/// A server of one mode, until it is dropped.
pub(in crate::trial) struct Server {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
    elsewhere: Arc<Mutex<String>>,
}

impl Server {
    pub(in crate::trial) fn start(mode: &'static Mode) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
        let address = listener.local_addr().expect("it is bound");
        let server = Self { address, asked: Arc::default(), over: Arc::default(), elsewhere: Arc::default() };
        if !matches!(mode.act, Act::Refuse) {
            let (asked, over, elsewhere) = (server.asked.clone(), server.over.clone(), server.elsewhere.clone());
            std::thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    if over.load(Ordering::SeqCst) {
                        return;
                    }
                    let number = asked.fetch_add(1, Ordering::SeqCst);
                    let elsewhere = elsewhere.lock().expect("nobody panics while holding it").clone();
                    let over = over.clone();
                    std::thread::spawn(move || drop(serve(&stream, mode.act, (number, elsewhere), &over)));
                }
            });
        }
        server
    }

    pub(in crate::trial) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where its redirects lead.
    pub(super) fn leads_to(&self, other: &Self) {
        *self.elsewhere.lock().expect("nobody panics while holding it") = other.url();
    }

    /// How often somebody came.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

/// Serves one connection, until whoever asked has left.
fn serve(
    mut stream: &TcpStream,
    act: Act,
    (number, elsewhere): (usize, String),
    over: &AtomicBool,
) -> std::io::Result<()> {
    stream.set_write_timeout(Some(Duration::from_secs(5)))?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    if let Act::Reset(said) = act {
        stream.peek(&mut [0])?;
        return stream.write_all(said.as_bytes());
    }
    let (json, operation) = hear(stream)?;
    let heard = Heard { json, operation, number, elsewhere };
    match act {
        Act::Refuse | Act::Reset(_) | Act::Close => Ok(()),
        Act::Say(bytes) => stream.write_all(&bytes(&heard)),
        Act::SayForEver(first, again) => {
            stream.write_all(first.as_bytes())?;
            let again = again();
            while !over.load(Ordering::SeqCst) {
                stream.write_all(&again)?;
            }
            Ok(())
        }
        Act::Drip(first, byte) => {
            stream.write_all(first.as_bytes())?;
            while !over.load(Ordering::SeqCst) {
                stream.write_all(&[byte])?;
                std::thread::sleep(Duration::from_millis(20));
            }
            Ok(())
        }
        Act::Wait => stream.read(&mut [0]).map(drop),
    }
}

/// Reads one request; is it JSON, and which operation does it ask for?
fn hear(stream: &TcpStream) -> std::io::Result<(bool, String)> {
    let mut reader = BufReader::new(stream);
    let (mut length, mut json) = (0, false);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        json |= lower.starts_with("x-amz-target:");
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = String::new();
    reader.take(length).read_to_string(&mut body)?;
    let action = body.split('&').find_map(|pair| pair.strip_prefix("Action="));
    Ok((json, action.unwrap_or_default().to_owned()))
}
