package sandbox

import (
	"net/http"
)

// s3Unserved are the operations that the sandbox knows by name only, so that
// its refusal can name them.
func s3Unserved() []s3Operation {
	var ops []s3Operation
	add := func(method string, level s3Level, subs map[string]string) {
		for _, sub := range sortedKeys(subs) {
			ops = append(ops, s3Operation{name: subs[sub], method: method, level: level, sub: sub})
		}
	}
	add(http.MethodGet, s3Bucket, map[string]string{
		"analytics": "GetBucketAnalyticsConfiguration", "intelligent-tiering": "GetBucketIntelligentTieringConfiguration",
		"inventory": "GetBucketInventoryConfiguration", "metrics": "GetBucketMetricsConfiguration", "session": "CreateSession",
		"metadataTable": "GetBucketMetadataTableConfiguration", "metadataConfiguration": "GetBucketMetadataConfiguration", "abac": "GetBucketAbac",
	})
	add(http.MethodPut, s3Bucket, map[string]string{
		"accelerate": "PutBucketAccelerateConfiguration", "analytics": "PutBucketAnalyticsConfiguration", "cors": "PutBucketCors",
		"intelligent-tiering": "PutBucketIntelligentTieringConfiguration", "inventory": "PutBucketInventoryConfiguration",
		"lifecycle": "PutBucketLifecycleConfiguration", "logging": "PutBucketLogging", "metrics": "PutBucketMetricsConfiguration",
		"notification": "PutBucketNotificationConfiguration", "object-lock": "PutObjectLockConfiguration", "abac": "PutBucketAbac",
		"replication": "PutBucketReplication", "requestPayment": "PutBucketRequestPayment", "website": "PutBucketWebsite",
	})
	add(http.MethodDelete, s3Bucket, map[string]string{
		"analytics": "DeleteBucketAnalyticsConfiguration", "cors": "DeleteBucketCors", "inventory": "DeleteBucketInventoryConfiguration",
		"intelligent-tiering": "DeleteBucketIntelligentTieringConfiguration", "lifecycle": "DeleteBucketLifecycle",
		"metrics": "DeleteBucketMetricsConfiguration", "replication": "DeleteBucketReplication", "website": "DeleteBucketWebsite",
	})
	add(http.MethodPost, s3Bucket, map[string]string{"metadataTable": "CreateBucketMetadataTableConfiguration", "metadataConfiguration": "CreateBucketMetadataConfiguration"})
	add(http.MethodGet, s3Object, map[string]string{
		"attributes": "GetObjectAttributes", "legal-hold": "GetObjectLegalHold", "retention": "GetObjectRetention", "torrent": "GetObjectTorrent",
	})
	add(http.MethodPut, s3Object, map[string]string{
		"legal-hold": "PutObjectLegalHold", "retention": "PutObjectRetention", "renameObject": "RenameObject", "encryption": "UpdateObjectEncryption",
	})
	add(http.MethodPost, s3Object, map[string]string{"restore": "RestoreObject", "select": "SelectObjectContent"})
	return append(ops, s3Operation{name: "PostObject", method: http.MethodPost, level: s3Bucket})
}
