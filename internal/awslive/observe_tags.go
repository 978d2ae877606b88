package awslive

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	tagging "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"
	"golang.org/x/sync/errgroup"

	"github.com/xshare/xshare/plan"
)

// GetResources gives at most so many resources at once, and a filter takes at
// most so many values.
// https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
const (
	taggedPage   = 100
	taggedValues = 20
)

// tagged searches the regions of the sweep for buckets that carry our tag, and
// returns the names of those that no step is about, sorted. What the search
// finds and the account does not list is gone: its index is some time behind.
func (r *reader) tagged(ctx context.Context, listed map[string]string) []string {
	isKnown := map[string]bool{}
	for _, want := range r.want.Buckets {
		isKnown[want.Name] = true
	}
	var found []string
	var g errgroup.Group
	for _, region := range r.want.Sweep {
		g.Go(func() error {
			names, err := r.taggedIn(ctx, region)
			if err != nil {
				r.fail(plan.ScopeTags+region, err)
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			for _, name := range names {
				if _, ok := listed[name]; ok && !isKnown[name] {
					isKnown[name] = true
					found = append(found, name)
				}
			}
			return nil
		})
	}
	_ = g.Wait() // failures are noted
	slices.Sort(found)
	return found
}

// taggedIn are the names of one region's buckets that carry our tag. Those of
// the pages before a failure are returned with it.
func (r *reader) taggedIn(ctx context.Context, region string) ([]string, error) {
	var names []string
	prefix := bucketARN(r.client, "")
	for marks := range slices.Chunk(r.client.names(), taggedValues) {
		pages := tagging.NewGetResourcesPaginator(r.tagging(region), &tagging.GetResourcesInput{
			ResourceTypeFilters: []string{"s3:bucket"},
			ResourcesPerPage:    aws.Int32(taggedPage),
			TagFilters:          []types.TagFilter{{Key: aws.String(plan.RepositoryTag), Values: marks}},
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return names, r.failed(err, region, "what is tagged in "+region)
			}
			for _, m := range page.ResourceTagMappingList {
				if name, ok := strings.CutPrefix(aws.ToString(m.ResourceARN), prefix); ok {
					names = append(names, name)
				}
			}
		}
	}
	return names, nil
}
