//! The workers that share a config topic, as one Kafka consumer group: the topic's one partition belongs to one of them at a
//! time, and that one runs the connectors. Kafka gives the partition to another when its owner leaves, or sends no heartbeat
//! for `session.timeout.ms`.
//!
//! The assignment is sticky, so that a worker that comes takes nothing from one that works. A worker that was frozen, or cut
//! off from the coordinator alone, learns late that another has its place: until then both may write, which under exactly-once
//! delivery the transactional ids prevent, and at least once means repeated records.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use krafka::{
    CloseOptions, GroupMembershipOperation, KrafkaError,
    consumer::{AutoOffsetReset, Consumer, ConsumerRebalanceListener, PartitionAssignmentStrategy, TopicPartition},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};
use tracing::{debug, warn};

use super::{KafkaBackend, WORKER_LOGIN, cluster::Cluster, topics};
use crate::{sink::SinkError, store::Duty};

/// How long one turn takes: what the coordinator decides is noticed after it at the latest.
const TURN: Duration = Duration::from_millis(100);
/// After a turn that failed, when Kafka is away.
const RETRY_INTERVAL: Duration = Duration::from_millis(500);
/// Before another try to join, when a membership has ended by itself.
const AGAIN_AFTER: Duration = Duration::from_secs(2);
/// How long leaving the group may take; who cannot leave is left out after `session.timeout.ms`.
const LEAVE_WITHIN: Duration = Duration::from_secs(1);
/// How long a worker may have no place before it says so, again and again.
const PLACE_WITHIN: Duration = Duration::from_secs(15);

/// The partition that stands for the duty: a config topic has one.
const PARTITION: i32 = 0;

/// Hands on what Kafka decides. Kafka's client waits for it, so that a worker has let go before another takes up.
struct Listener {
    duty: Arc<dyn Duty>,
    has_it: AtomicBool,
    /// It has it, or knows that another worker does.
    has_place: AtomicBool,
    /// Why the duty could not be taken up.
    failed: Mutex<Option<SinkError>>,
}

impl Listener {
    async fn let_go(&self, lost: bool) {
        self.has_place.store(false, Ordering::Release);
        if self.has_it.load(Ordering::Acquire) {
            self.duty.let_go(lost).await;
            // Afterwards, as this may be dropped halfway, and is called again then.
            self.has_it.store(false, Ordering::Release);
        }
    }
}

/// Kafka tells of what is new: a worker that keeps its partition is told of none.
impl ConsumerRebalanceListener for Listener {
    async fn on_partitions_assigned(&self, partitions: &[TopicPartition]) {
        self.has_place.store(true, Ordering::Release);
        if partitions.iter().any(|partition| partition.partition == PARTITION) {
            self.has_it.store(true, Ordering::Release);
            if let Err(error) = self.duty.take_up().await {
                *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            }
        } else if !self.has_it.load(Ordering::Acquire) {
            self.duty.stand_by();
        }
    }

    async fn on_partitions_revoked(&self, partitions: &[TopicPartition]) {
        if partitions.iter().any(|partition| partition.partition == PARTITION) {
            self.let_go(false).await;
        }
    }

    async fn on_partitions_lost(&self, _partitions: &[TopicPartition]) {
        self.let_go(true).await;
    }
}

impl KafkaBackend {
    /// See `ConnectorStore::take_part`.
    pub(super) async fn take_part_in_group(
        &self,
        duty: Arc<dyn Duty>,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), SinkError> {
        let login = || self.worker.security_now().unwrap_or_default();
        let mut was_connected = false;
        loop {
            let with = login();
            // A broker answers what comes over one connection in its order, and keeps a member waiting for others and for
            // records: on the connection that is shared everybody would wait with it.
            let connected = tokio::select! {
                connected = Cluster::connect(&self.kafka, &with, WORKER_LOGIN) => connected,
                _ = stop.wait_for(|stop| *stop) => return Ok(()),
            };
            let was_refused = |error: &SinkError| !matches!(error, SinkError::Unavailable(_));
            let ended = match connected {
                Ok(own) => {
                    was_connected = true;
                    self.membership(&own, &duty, &mut stop).await
                }
                Err(error) => Err(error),
            };
            let Err(error) = ended else { return Ok(()) };
            // A worker that has worked waits for a cluster that is away; and with secrets that were rotated it comes again.
            if !was_connected || (was_refused(&error) && login() == with) {
                return Err(error);
            }
            warn!(%error, "joins the group again");
            tokio::select! {
                () = sleep(AGAIN_AFTER) => {}
                _ = stop.wait_for(|stop| *stop) => return Ok(()),
            }
        }
    }

    /// One membership, to its end: until `stop` is true, or Kafka refuses it.
    async fn membership(
        &self,
        cluster: &Cluster,
        duty: &Arc<dyn Duty>,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), SinkError> {
        let kafka = &self.kafka;
        topics::ensure_compacted(cluster, &kafka.config_topic, "config.storage").await?;
        let listener = Arc::new(Listener {
            duty: Arc::clone(duty),
            has_it: AtomicBool::new(false),
            has_place: AtomicBool::new(false),
            failed: Mutex::default(),
        });
        let doing = format!("taking part in the group {} (group.id)", kafka.group_id);
        let failed = |error: &KrafkaError| cluster.error(&doing, error);
        let mut builder = cluster
            .kafka
            .consumer(&kafka.group_id)
            .partition_assignment_strategy(PartitionAssignmentStrategy::CooperativeSticky)
            .session_timeout(Duration::from_millis(kafka.session_timeout_ms))
            .heartbeat_interval(Duration::from_millis(kafka.heartbeat_interval_ms))
            // The records are read by whoever takes up the duty, all of them and at once.
            .auto_offset_reset(AutoOffsetReset::Latest)
            .enable_auto_commit(false)
            .metrics_push(false)
            .rebalance_listener(Arc::clone(&listener));
        if let Some(id) = &kafka.group_instance_id {
            builder = builder.group_instance_id(id);
        }
        let consumer = builder.build().await.map_err(|error| failed(&error))?;
        consumer.subscribe([&kafka.config_topic.name]).await.map_err(|error| failed(&error))?;
        let ended = turns(&consumer, &kafka.config_topic.name, &listener, stop, failed).await;
        // Before leaving, so that nothing goes on here when another one takes up; it may have been lost a moment ago.
        listener.let_go(ended.is_err()).await;
        let leaving =
            CloseOptions::new().timeout(LEAVE_WITHIN).group_membership_operation(GroupMembershipOperation::LeaveGroup);
        if let Err(error) = consumer.close_with(leaving).await {
            debug!(%error, "leaving the group");
        }
        ended
    }
}

/// Turns the consumer, which keeps the membership alive.
async fn turns(
    consumer: &Consumer,
    topic: &str,
    listener: &Listener,
    stop: &mut watch::Receiver<bool>,
    failed: impl Fn(&KrafkaError) -> SinkError,
) -> Result<(), SinkError> {
    let (mut told, mut is_paused) = (false, false);
    let mut placeless = Instant::now();
    loop {
        // The client tries again by itself, and without a word, while the coordinator does not answer.
        if listener.has_place.load(Ordering::Acquire) {
            placeless = Instant::now();
        } else if placeless.elapsed() >= PLACE_WITHIN {
            placeless = Instant::now();
            warn!(
                "still has no place in the group of workers: its coordinator does not answer, or another worker was frozen; at \
                 the level WARN the logger krafka.consumer says more"
            );
        }
        let polled = tokio::select! {
            polled = consumer.poll(TURN) => polled,
            // An error means that nobody can ask for a stop any more, which is asking for one.
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
        };
        let not_taken_up = listener.failed.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(error) = not_taken_up {
            return Err(error);
        }
        match polled {
            Ok(_) => {
                told = false;
                let has_it = listener.has_it.load(Ordering::Acquire);
                if has_it && !is_paused {
                    // Nothing is read here, so that a turn waits for no record.
                    consumer.pause(topic, &[PARTITION]).await;
                }
                is_paused = has_it;
            }
            Err(error) => match failed(&error) {
                SinkError::Unavailable(error) => {
                    if !std::mem::replace(&mut told, true) {
                        warn!(%error, "the group is not reached for now");
                    }
                    sleep(RETRY_INTERVAL).await;
                }
                refused => return Err(refused),
            },
        }
    }
}
