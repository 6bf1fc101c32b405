//! The agencies' door: a schema registry for producers that write Avro. (HTTP and CSV in, receipts out, follow.)
