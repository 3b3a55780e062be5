//! A Kafka broker for the tests: one KRaft node from Apache's own artefacts (`make kafka`), on free ports, in a temporary
//! folder. Whatever becomes of the tests, a guard in between ends the broker and removes its folder.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    io::Write as _,
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Output, Stdio},
    sync::{Mutex, OnceLock, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::process::PATIENCE;

/// The repository's root; the benchmarks, whose package lies deeper, share this file.
fn repository() -> Option<&'static Path> {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().find(|folder| folder.join("Cargo.lock").is_file())
}

/// The folders with the jars of the Kafka versions that `make kafka` fetched, the oldest first.
fn versions() -> Vec<PathBuf> {
    let kafka = repository().map(|root| root.join("target/kafka"));
    let entries = kafka.and_then(|kafka| fs::read_dir(kafka).ok()).into_iter().flatten();
    let mut versions: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path().join("libs"))).collect();
    versions.retain(|libs| libs.is_dir());
    versions.sort();
    versions
}

/// The jars of the newest version.
fn libs() -> Option<PathBuf> {
    versions().pop()
}

/// Where Kafka's classes are.
pub(crate) fn classpath() -> Option<OsString> {
    Some(libs()?.join("*").into())
}

/// `java` with what all of Kafka's programs want.
pub(crate) fn java(main: &str) -> Command {
    java_with(&[], main)
}

/// The same, with folders of more classes.
pub(crate) fn java_with(folders: &[&Path], main: &str) -> Command {
    let libs = libs().expect("asked for only when there is a broker");
    java_from(&libs, folders, main)
}

fn java_from(libs: &Path, folders: &[&Path], main: &str) -> Command {
    let mut classes: OsString = libs.join("*").into();
    for folder in folders {
        classes.push(":");
        classes.push(folder);
    }
    let log = repository().expect("a package lies in it").join("scripts/kafka/log4j2.properties");
    let mut command = Command::new("java");
    command
        .args(["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp"])
        .arg(classes)
        .arg(format!("-Dlog4j2.configurationFile={}", log.display()))
        .arg(main)
        .stdin(Stdio::null());
    command
}

/// Runs one of Kafka's programs and fails when it fails.
#[track_caller]
pub(crate) fn java_output(main: &str, arguments: &[&str]) -> String {
    output_of(java(main), main, arguments)
}

#[track_caller]
fn output_of(mut java: Command, main: &str, arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = java.args(arguments).output().expect("java starts");
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{main} {arguments:?}: {status}\n{stdout}\n{stderr}");
    stdout.into_owned()
}

/// Why no broker can be started here, if so.
fn missing() -> Option<String> {
    if libs().is_none() {
        return Some("Kafka's jars are missing; `make kafka` fetches them".to_owned());
    }
    let java = Command::new("java").arg("-version").stdin(Stdio::null()).output();
    java.is_err().then(|| "there is no `java` on the path".to_owned())
}

/// A port that was free a moment ago, and that nobody here was told of before.
pub(crate) fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
        let port = listener.local_addr().expect("a bound listener has an address").port();
        // The system gives a port again as soon as it is let go, long before a server that was told of it listens there.
        if GIVEN.lock().unwrap_or_else(PoisonError::into_inner).insert(port) {
            return port;
        }
    }
}

/// Ends the broker when the tests end, in whatever way: its standard input is a pipe from them. The word `keep` on it ends
/// the broker too, but leaves the folder.
const GUARD: &str = r#"folder=$1; shift; "$@" & broker=$!
echo $broker > "$folder/pid"
read -r word; kill -9 $broker; wait $broker; [ "$word" = keep ] || rm -rf "$folder""#;

/// The same for a server whose files somebody else removes; any word on its standard input ends it.
pub(crate) const GUARDED: &str = r#""$@" & server=$!; read -r word; kill -9 $server"#;

/// A second way to the broker, for tests that put a proxy into it.
#[derive(Clone, Copy)]
pub(crate) struct ProxyPorts {
    /// Where the broker tells clients to come: the proxy's.
    pub(crate) advertised: u16,
    /// Where the broker listens for the proxy.
    pub(crate) upstream: u16,
}

/// One broker.
pub(crate) struct Broker {
    libs: PathBuf,
    port: u16,
    proxy: ProxyPorts,
    properties: PathBuf,
    folder: PathBuf,
    running: Option<(Child, ChildStdin)>,
}

/// A broker's place in its cluster.
struct Node {
    id: usize,
    port: u16,
    controller: u16,
    /// `controller.quorum.voters`.
    voters: String,
    /// How many brokers there are.
    brokers: usize,
}

impl Node {
    /// Those of a cluster, on free ports.
    fn cluster(brokers: usize) -> Vec<Self> {
        let controllers: Vec<u16> = (0..brokers).map(|_| free_port()).collect();
        let voters: Vec<String> = (1..).zip(&controllers).map(|(id, port)| format!("{id}@127.0.0.1:{port}")).collect();
        let node = |(id, controller)| Self { id, port: free_port(), controller, voters: voters.join(","), brokers };
        (1..).zip(controllers).map(node).collect()
    }
}

/// What a broker has beyond the usual.
#[derive(Default)]
pub(crate) struct Extra {
    /// Listeners, name (which is also the protocol) and port.
    pub(crate) listeners: Vec<(&'static str, u16)>,
    /// Users of SCRAM, in the form of `StorageTool`.
    pub(crate) scram: Vec<String>,
    /// Lines of its properties.
    pub(crate) lines: String,
}

impl Broker {
    /// The broker that scenarios share, or none where there is no Kafka: that is said aloud, and fails in CI.
    pub(crate) fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Broker>> = OnceLock::new();
        SHARED.get_or_init(Self::start).as_ref()
    }

    /// A broker of one's own, to be stopped and started at will.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(|_| Extra::default())
    }

    /// A broker with more than the usual in its properties, made for its folder.
    pub(crate) fn start_with(extra: impl FnOnce(&Path) -> Extra) -> Option<Self> {
        if let Some(reason) = missing() {
            skipped(&reason);
            return None;
        }
        Some(Self::single(&libs()?, extra))
    }

    /// A broker of the oldest version that is supported.
    pub(crate) fn start_oldest() -> Option<Self> {
        let found = versions();
        let [oldest, _, ..] = &found[..] else {
            skipped("only one version of Kafka is there; `make kafka` fetches the oldest that is supported too");
            return None;
        };
        Some(Self::single(oldest, |_| Extra::default()))
    }

    fn single(libs: &Path, extra: impl FnOnce(&Path) -> Extra) -> Self {
        let node = Node::cluster(1).pop().expect("a cluster of one has one");
        let mut broker = Self::on_disk(libs, &node, Self::new_cluster_id().trim(), extra);
        broker.resume();
        broker
    }

    /// Brokers that form one cluster, in the order of their ids, which begin at 1.
    pub(crate) fn cluster(brokers: usize) -> Option<Vec<Self>> {
        if let Some(reason) = missing() {
            skipped(&reason);
            return None;
        }
        let (libs, id) = (libs()?, Self::new_cluster_id());
        let mut brokers: Vec<Self> = Node::cluster(brokers)
            .iter()
            .map(|node| Self::on_disk(&libs, node, id.trim(), |_| Extra::default()))
            .collect();
        // None serves before most of them run.
        brokers.iter_mut().for_each(Self::spawn);
        brokers.iter().for_each(Self::wait_until_ready);
        Some(brokers)
    }

    fn new_cluster_id() -> String {
        java_output("kafka.tools.StorageTool", &["random-uuid"])
    }

    /// A broker that is ready to be started.
    fn on_disk(libs: &Path, node: &Node, cluster_id: &str, extra: impl FnOnce(&Path) -> Extra) -> Self {
        // The guard removes the folder: it outlives this process, whose destructors may never run.
        let folder = TempDir::with_prefix("tributary-kafka-").expect("a temporary folder").keep();
        let properties = folder.join("server.properties");
        let proxy = ProxyPorts { advertised: free_port(), upstream: free_port() };
        let extra = extra(&folder);
        fs::write(&properties, server_properties(&folder, node, proxy, &extra)).expect("the folder is ours");
        let path = properties.to_str().expect("a temporary path is text");
        let format = ["format", "-t", cluster_id, "-c", path];
        let users: Vec<&str> = extra.scram.iter().flat_map(|user| ["--add-scram", user.as_str()]).collect();
        let tool = "kafka.tools.StorageTool";
        output_of(java_from(libs, &[], tool), tool, &[&format[..], &users].concat());
        Self { libs: libs.to_owned(), port: node.port, proxy, properties, folder, running: None }
    }

    /// As it stands on its disk.
    pub(crate) fn cluster_id(&self) -> String {
        let path = self.folder.join("log/meta.properties");
        let text = fs::read_to_string(path).expect("a broker that runs has written it");
        text.lines().find_map(|line| line.strip_prefix("cluster.id=")).expect("it has an id").to_owned()
    }

    /// `bootstrap.servers`.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The ports of the second way to the broker.
    pub(crate) fn proxy_ports(&self) -> ProxyPorts {
        self.proxy
    }

    /// Halts the broker process, or lets it go on.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = fs::read_to_string(self.folder.join("pid")).expect("the guard writes it");
        let pid = Pid::from_raw(pid.trim().parse().expect("a number")).expect("and not 0");
        kill_process(pid, signal).expect("the broker runs");
    }

    /// Starts the process on the folder as it is, and waits until it answers.
    pub(crate) fn resume(&mut self) {
        self.spawn();
        self.wait_until_ready();
    }

    fn spawn(&mut self) {
        assert!(self.running.is_none(), "the broker runs already");
        let broker = java_from(&self.libs, &[], "kafka.Kafka");
        let log = fs::File::create(self.folder.join("broker.log")).expect("the folder is ours");
        let mut guard = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .arg(&self.folder)
            .arg(broker.get_program())
            .args(broker.get_args())
            .arg(&self.properties)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("a file has two names"))
            .stderr(log)
            .spawn()
            .expect("sh starts");
        let pipe = guard.stdin.take().expect("stdin is piped");
        self.running = Some((guard, pipe));
    }

    fn wait_until_ready(&self) {
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        let deadline = Instant::now() + PATIENCE;
        // The port opens when the broker serves; until then the kernel refuses, and nothing tells when to look again.
        while TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err() {
            assert!(Instant::now() < deadline, "the broker did not start: {}", self.log());
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("broker.log")).unwrap_or_default()
    }

    /// Kills the broker process; its data stay.
    pub(crate) fn kill(&mut self) {
        let (mut guard, mut pipe) = self.running.take().expect("only a running broker is killed");
        pipe.write_all(b"keep\n").expect("the guard reads");
        guard.wait().expect("a child can be waited for");
    }

    /// Gives a user of SCRAM another password.
    pub(crate) fn set_scram_password(&self, user: &str, password: &str) {
        let address = self.address();
        let arguments = ["--bootstrap-server", &address, "--alter", "--entity-type", "users", "--entity-name", user];
        let config = format!("SCRAM-SHA-512=[password={password}]");
        java_output("kafka.admin.ConfigCommand", &[&arguments[..], &["--add-config", &config]].concat());
    }

    /// Creates a topic with one partition.
    pub(crate) fn create_topic(&self, name: &str) {
        self.create_topic_with(name, &[]);
    }

    /// The same with more arguments.
    pub(crate) fn create_topic_with(&self, name: &str, more: &[&str]) {
        let address = self.address();
        let arguments = ["--bootstrap-server", &address, "--create", "--topic", name, "--partitions", "1"];
        java_output("org.apache.kafka.tools.TopicCommand", &[&arguments[..], more].concat());
    }

    /// Writes records with Kafka's own console: keys and values, no `|` among them.
    pub(crate) fn produce(&self, topic: &str, records: &[(&str, &str)]) {
        let mut producer = java("org.apache.kafka.tools.ConsoleProducer");
        producer.args(["--bootstrap-server", &self.address(), "--topic", topic]);
        producer.args(["--reader-property", "parse.key=true", "--reader-property", "key.separator=|"]);
        let mut child = producer.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("java starts");
        let lines: String = records.iter().map(|(key, value)| format!("{key}|{value}\n")).collect();
        // Its end is the end of what it reads.
        child.stdin.take().expect("it is piped").write_all(lines.as_bytes()).expect("the producer reads");
        assert!(child.wait().expect("a child can be waited for").success(), "the console producer failed");
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some((mut guard, pipe)) = self.running.take() {
            drop(pipe);
            let _ = guard.wait();
        } else {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// Tells that the tests against a broker do not run here. In CI that is a failure.
pub(crate) fn skipped(reason: &str) {
    assert!(std::env::var_os("CI").is_none(), "the tests against Kafka cannot run: {reason}");
    let _ = writeln!(std::io::stderr(), "SKIPPED: tests against Kafka: {reason}");
}

fn server_properties(folder: &Path, node: &Node, proxy: ProxyPorts, extra: &Extra) -> String {
    let Node { id, port, controller, voters, brokers } = node;
    let in_sync = if *brokers > 2 { brokers - 1 } else { 1 };
    let ProxyPorts { advertised, upstream } = proxy;
    let listeners: String = extra.listeners.iter().map(|(name, port)| format!(",{name}://127.0.0.1:{port}")).collect();
    let protocols: String = extra.listeners.iter().map(|(name, _)| format!(",{name}:{name}")).collect();
    format!(
        "process.roles=broker,controller\n\
         node.id={id}\n\
         controller.quorum.voters={voters}\n\
         listeners=PLAINTEXT://127.0.0.1:{port},PROXIED://127.0.0.1:{upstream},CONTROLLER://127.0.0.1:{controller}{listeners}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{port},PROXIED://127.0.0.1:{advertised}{listeners}\n\
         inter.broker.listener.name=PLAINTEXT\n\
         controller.listener.names=CONTROLLER\n\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT{protocols}\n\
         log.dirs={}/log\n\
         offsets.topic.replication.factor={brokers}\n\
         offsets.topic.num.partitions=1\n\
         transaction.state.log.replication.factor={brokers}\n\
         transaction.state.log.min.isr={in_sync}\n\
         default.replication.factor={brokers}\n\
         min.insync.replicas={in_sync}\n\
         transaction.state.log.num.partitions=1\n\
         transaction.abort.timed.out.transaction.cleanup.interval.ms=1000\n\
         share.coordinator.state.topic.replication.factor={brokers}\n\
         share.coordinator.state.topic.min.isr={in_sync}\n\
         broker.session.timeout.ms=3000\n\
         broker.heartbeat.interval.ms=500\n\
         group.initial.rebalance.delay.ms=0\n\
         group.min.session.timeout.ms=1000\n\
         auto.create.topics.enable=false\n{}",
        folder.display(),
        extra.lines
    )
}
