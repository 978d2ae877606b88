package main

import (
	"github.com/xshare/xshare/internal/sandbox"
	"github.com/xshare/xshare/internal/seed"
	"github.com/xshare/xshare/specs"
)

// newSandbox makes an embedded AWS that holds what the repository's specs name
// as existing.
func newSandbox(repo *specs.Repository, o sandbox.Options) (*sandbox.Server, error) {
	if repo.Region != "" {
		o.Partition = specs.Partition(repo.Region)
	}
	o.Seed = seed.Of(repo)
	return sandbox.New(o)
}
