package specs

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// manyShares is a repository of n shares, perFile of them in each file.
func manyShares(n, perFile int) fstest.MapFS {
	files := fstest.MapFS{"xshare.yaml": {Data: []byte(goodRepository)}}
	for i := 0; i < n; i += perFile {
		var b strings.Builder
		for j := i; j < min(i+perFile, n); j++ {
			fmt.Fprintf(&b, "---\n%s", strings.NewReplacer(
				"name: sales-data", fmt.Sprintf("name: bucket-%d", j/2),
				"name: sales", fmt.Sprintf("name: share-%d", j),
				"name: reader", fmt.Sprintf("name: role-%d", j/3),
			).Replace(goodShare))
		}
		files[fmt.Sprintf("shares/%06d.yaml", i)] = &fstest.MapFile{Data: []byte(b.String())}
	}
	return files
}

func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		for _, perFile := range []int{1, 1_000} {
			b.Run(fmt.Sprintf("shares=%d/perFile=%d", n, perFile), func(b *testing.B) {
				files := manyShares(n, perFile)
				b.ReportAllocs()
				for b.Loop() {
					if repo, problems := Load(files); repo == nil || len(repo.Shares) != n {
						b.Fatal(Errors(problems))
					}
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/share")
			})
		}
	}
}
