package executor

import (
	"context"
	"errors"
)

// Store keeps small documents by name and writes them on condition, so that
// of several who write at once one wins. A version tells one text of a
// document from the next; S3's is the ETag.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
//
// Every method may be called again after an answer was lost, so an error of
// condition may tell of the caller's own write: callers look at what is there.
type Store interface {
	// Create writes a document that is not there; ErrExists if it is.
	Create(ctx context.Context, name string, text []byte) (version string, err error)
	// Get reads a document; ErrAbsent if it is not there.
	Get(ctx context.Context, name string) (text []byte, version string, err error)
	// Replace writes a document whose version is still the one given;
	// ErrChanged if it is another, ErrAbsent if it is gone.
	Replace(ctx context.Context, name, version string, text []byte) (newVersion string, err error)
	// Delete removes a document whose version is still the one given;
	// ErrChanged if it is another. One that is gone is no error.
	Delete(ctx context.Context, name, version string) error
}

// The errors of conditions that a Store was given and that do not hold.
var (
	ErrExists  = errors.New("it is there already")
	ErrChanged = errors.New("it was changed meanwhile")
	ErrAbsent  = errors.New("it is not there")
)
