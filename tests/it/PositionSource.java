import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.source.SourceConnector;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.source.SourceTask;

/** A connector for a real Kafka Connect worker: one record, whose source offset is given by its configuration. */
public class PositionSource extends SourceConnector {
    private Map<String, String> config;

    @Override public void start(Map<String, String> given) { config = given; }
    @Override public Class<? extends Task> taskClass() { return OneRecord.class; }
    @Override public List<Map<String, String>> taskConfigs(int max) { return List.of(config); }
    @Override public void stop() { }
    @Override public String version() { return "1"; }
    @Override public boolean alterOffsets(Map<String, String> config, Map<Map<String, ?>, Map<String, ?>> offsets) {
        return true;
    }
    @Override public ConfigDef config() {
        return new ConfigDef()
            .define("topic", ConfigDef.Type.STRING, ConfigDef.Importance.HIGH, "Where the record goes.")
            .define("replay.id", ConfigDef.Type.LONG, ConfigDef.Importance.HIGH, "The offset behind it.");
    }

    /** See the connector. */
    public static class OneRecord extends SourceTask {
        private Map<String, String> config;
        private boolean sent;

        @Override public void start(Map<String, String> given) { config = given; }
        @Override public void stop() { }
        @Override public String version() { return "1"; }
        @Override public List<SourceRecord> poll() throws InterruptedException {
            if (sent) {
                Thread.sleep(100);
                return null;
            }
            sent = true;
            Map<String, ?> offset = Map.of("replayId", Long.parseLong(config.get("replay.id")));
            return List.of(new SourceRecord(Map.of(), offset, config.get("topic"), Schema.STRING_SCHEMA, "x"));
        }
    }
}
