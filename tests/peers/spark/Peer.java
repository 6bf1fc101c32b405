import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.streaming.StreamingQueryListener;
import org.apache.spark.sql.streaming.Trigger;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.element_at;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.map_from_entries;

/**
 * Spark Structured Streaming from Kafka into a Delta table, exactly once, all that the topics hold, then it ends:
 * Peer BOOTSTRAP FOLDER copy|envelope.
 *
 * copy: the records as they are, nothing is decoded. envelope: the CloudEvents attributes become columns, the payload stays as it
 * is. Neither checks a payload, replaces a token or looks for copies of an event; ours does all three.
 *
 * Its last line: rows, rows after the first batch, and the CPU seconds of this process that those took: what an event costs once
 * classes are loaded and code is compiled.
 */
public final class Peer {
    private static final String[] ATTRIBUTES = {"id", "source", "type", "subject", "time", "dataschema"};

    public static void main(String[] arguments) throws Exception {
        SparkSession spark = SparkSession.builder().master("local[2]").appName("peer")
            .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
            .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
            .config("spark.sql.parquet.compression.codec", "zstd")
            .config("spark.sql.mapKeyDedupPolicy", "LAST_WIN")
            .config("spark.sql.shuffle.partitions", "2")
            .config("spark.ui.enabled", "false")
            .getOrCreate();
        spark.sparkContext().setLogLevel("ERROR");
        Progress progress = new Progress();
        spark.streams().addListener(progress);
        Dataset<Row> log = spark.readStream().format("kafka")
            .option("kafka.bootstrap.servers", arguments[0])
            .option("subscribePattern", "tip\\.events\\..*")
            .option("startingOffsets", "earliest")
            .option("includeHeaders", "true")
            .option("maxOffsetsPerTrigger", "250000")
            .load();
        Dataset<Row> rows = arguments[2].equals("copy") ? log : envelope(log);
        rows.writeStream().format("delta").outputMode("append")
            .option("checkpointLocation", arguments[1] + "/checkpoint")
            .trigger(Trigger.AvailableNow())
            .start(arguments[1] + "/table")
            .awaitTermination();
        spark.stop(); // delivers what the listener has not heard yet
        System.out.printf("%d %d %.3f%n", progress.rows, progress.rows - progress.firstRows, (progress.cpu - progress.firstCpu) / 1e9);
    }

    /** Rows and CPU time at the end of the first batch and of the last. */
    private static final class Progress extends StreamingQueryListener {
        private final OperatingSystemMXBean process = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        private long rows, firstRows, cpu, firstCpu;

        @Override public void onQueryStarted(QueryStartedEvent event) { }
        @Override public void onQueryTerminated(QueryTerminatedEvent event) { }
        @Override public void onQueryProgress(QueryProgressEvent event) {
            if (event.progress().numInputRows() == 0) return;
            rows += event.progress().numInputRows();
            cpu = process.getProcessCpuTime();
            if (firstRows == 0) {
                firstRows = rows;
                firstCpu = cpu;
            }
        }
    }

    private static Dataset<Row> envelope(Dataset<Row> log) {
        Dataset<Row> rows = log.withColumn("of", map_from_entries(col("headers")));
        for (String name : ATTRIBUTES) {
            Column value = element_at(col("of"), lit("ce_" + name)).cast("string");
            rows = rows.withColumn(name, name.equals("time") ? value.cast("timestamp") : value);
        }
        return rows.drop("of", "headers", "key", "timestampType");
    }
}
