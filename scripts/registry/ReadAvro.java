import io.apicurio.registry.utils.converter.AvroConverter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.json.JsonConverter;

/**
 * Reads a topic of AVRO values with a converter of Kafka Connect that is not ours, back into Kafka Connect's schemas and
 * values, and prints these as Kafka's console consumer prints JSON records. Keys are JSON. The first line names the schema and
 * the types of its fields.
 *
 * <p>ReadAvro BOOTSTRAP REGISTRY TOPIC, the registry being http://host:port of an Apicurio Registry.
 */
public class ReadAvro {
    public static void main(String[] args) {
        String topic = args[2];
        AvroConverter<?> avro = new AvroConverter<>();
        avro.configure(Map.of(
            "apicurio.registry.url", args[1] + "/apis/registry/v2",
            "apicurio.registry.headers.enabled", false,
            "apicurio.registry.as-confluent", true,
            "apicurio.registry.use-id", "contentId"), false);
        JsonConverter json = new JsonConverter();
        json.configure(Map.of("schemas.enable", false), false);
        Map<String, Object> config = new HashMap<>();
        config.put("bootstrap.servers", args[0]);
        config.put("isolation.level", "read_committed");
        config.put("enable.auto.commit", false);
        try (var consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = new ArrayList<>();
            consumer.partitionsFor(topic).forEach(p -> partitions.add(new TopicPartition(topic, p.partition())));
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            boolean named = false;
            while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.get(p))) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
                    SchemaAndValue value = avro.toConnectData(topic, record.value());
                    if (!named) {
                        StringBuilder line = new StringBuilder(value.schema().name());
                        for (Field field : value.schema().fields()) {
                            String name = field.schema().name();
                            line.append(' ').append(field.name()).append('=').append(name == null ? field.schema().type() : name);
                        }
                        System.out.println(line);
                        named = true;
                    }
                    String text = new String(json.fromConnectData(topic, value.schema(), value.value()));
                    System.out.println("CreateTime:" + record.timestamp() + "\tPartition:" + record.partition() + "\tOffset:"
                        + record.offset() + "\tNO_HEADERS\t" + new String(record.key()) + "\t" + text);
                }
            }
        }
    }
}
