package specs

import (
	"cmp"
	"io/fs"
	"runtime"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// RepositoryFile is the file at the root that makes a directory a repository.
const RepositoryFile = "xshare.yaml"

// Load reads and validates the repository in fsys. The problems are sorted by
// position and hold warnings too; the Repository is nil if any of them is an
// error, unless all errors are lints: of what a consumer asks for, or of the
// grammar of a trust policy. Nothing outside fsys is read: symbolic links are followed only to
// files inside, which needs an fsys that implements fs.ReadLinkFS, as those of
// os.DirFS and os.Root do. Several goroutines read fsys at once.
func Load(fsys fs.FS) (*Repository, []Problem) {
	l := &loader{sink: newSink(), fsys: fsys, policies: map[string]policyFile{}}
	repo := l.load()
	if l.broken {
		repo = nil
	}
	return repo, l.sorted()
}

// loader is one run of Load.
type loader struct {
	*sink
	fsys     fs.FS
	repo     *Repository         // nil where xshare.yaml could not be read
	accounts map[string]*Account // by alias
	ids      map[string]*Account
	aliases  []string
	policies map[string]policyFile // trust policies read so far, by path
	names    map[string]Pos        // of shares
	merge    *merger
}

func (l *loader) load() *Repository {
	var raw *rawRepository
	if content, ok := l.repositoryFile(); ok {
		documents(l.sink, RepositoryFile, content, func(r *reader, top *yaml.Node) {
			kind, ok := r.header(top, "Repository", "Share", "put shares into files of their own, under include")
			if !ok {
				return
			}
			if raw != nil {
				r.fail(codeDuplicate, kind, "keep one", "a second Repository stands here, the first is at %s", raw.kind.pos)
				return
			}
			raw = new(rawRepository)
			r.mapping("the Repository", top, raw)
		})
	}
	if raw == nil && !l.broken {
		l.fail(codeMissing, Pos{RepositoryFile, 1, 1}, "write a document of kind Repository", "the file holds no Repository")
	}
	patterns := []string{defaultInclude}
	var includePos Pos
	if raw != nil {
		l.repo = l.repository(raw)
		includePos = raw.spec.value.include.pos
		patterns = l.repo.Include
		l.know()
	}
	files := l.included(patterns, includePos)
	shares := l.shares(func(visit func(decoded)) { decodeAll(l.fsys, files, visit) })
	if l.repo == nil {
		return nil
	}
	if len(shares) == 0 && !l.broken {
		l.warn(codeNoShares, l.repo.Pos, "nothing to do if that is meant; what xshare made for former shares will be closed",
			"the repository has no shares")
	}
	l.repo.Shares = shares
	l.sharedLock(l.repo.Lock, shares)
	return l.repo
}

// know takes the accounts of the repository that shares may name.
func (l *loader) know() {
	l.accounts = make(map[string]*Account, len(l.repo.Accounts))
	l.ids = make(map[string]*Account, len(l.repo.Accounts))
	for _, a := range l.repo.Accounts {
		l.accounts[a.Alias], l.ids[a.ID] = a, a
		l.aliases = append(l.aliases, a.Alias)
	}
}

// shares takes what each hands to visit of files that were decoded, and returns
// the shares by name.
func (l *loader) shares(each func(visit func(decoded))) []*Share {
	l.names, l.merge = map[string]Pos{}, newMerger(l.sink, l.repo)
	var shares []*Share
	each(func(file decoded) {
		l.take(file.sink)
		for _, raw := range file.shares {
			shares = append(shares, l.share(raw))
		}
	})
	l.merge.finish()
	slices.SortFunc(shares, func(a, b *Share) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), a.Pos.compare(b.Pos))
	})
	return shares
}

// decoded is what one file holds, and what is wrong with its form.
type decoded struct {
	sink   *sink
	shares []*rawShare
}

// decodeAll decodes the files, several at once, and hands them to visit in
// their order.
func decodeAll(fsys fs.FS, files []specFile, visit func(decoded)) {
	queue := make(chan chan decoded, runtime.GOMAXPROCS(0)) // its room bounds how many are decoded ahead
	go func() {
		defer close(queue)
		for _, file := range files {
			done := make(chan decoded, 1)
			queue <- done
			go func() { done <- decode(fsys, file) }()
		}
	}()
	for done := range queue {
		visit(<-done)
	}
}

func decode(fsys fs.FS, file specFile) decoded {
	d := decoded{sink: newSink()}
	if content, ok := readFile(d.sink, fsys, file, Pos{file.name, 1, 1}, maxFileSize); ok {
		d.text(file.name, content)
	}
	return d
}

// text decodes the text of a file.
func (d *decoded) text(name string, content []byte) {
	documents(d.sink, name, content, func(r *reader, top *yaml.Node) {
		if _, ok := r.header(top, "Share", "Repository", "a Repository stands in "+RepositoryFile+" only"); !ok {
			return
		}
		raw, from := new(rawShare), len(d.sink.list)
		r.mapping("the Share", top, raw)
		for i := from; i < len(d.sink.list); i++ {
			d.sink.list[i].Share = raw.metadata.value.name.value
		}
		d.shares = append(d.shares, raw)
	})
}

// header checks apiVersion and kind, which decide whether the rest of a
// document can be read, and returns the position of the kind.
func (r *reader) header(top *yaml.Node, want, other, otherMend string) (Pos, bool) {
	if top.Kind != yaml.MappingNode || !r.plain(top) {
		if top.Kind != yaml.AliasNode && top.Style&yaml.TaggedStyle == 0 {
			r.fail(codeType, r.pos(top), "write apiVersion, kind, metadata and spec", "the document is %s", describe(top))
		}
		return Pos{}, false
	}
	var version, kind *yaml.Node
	for i := 0; i+1 < len(top.Content); i += 2 {
		switch top.Content[i].Value {
		case "apiVersion":
			version = top.Content[i+1]
		case "kind":
			kind = top.Content[i+1]
		}
	}
	if version != nil && version.Kind == yaml.ScalarNode && version.Value != APIVersion && !isNull(version) {
		r.fail(codeAPIVersion, r.pos(version), `write "`+APIVersion+`", or take a newer xshare`, "apiVersion %s is not known to this version", quote(version.Value))
		return Pos{}, false
	}
	switch {
	case kind == nil:
		r.fail(codeMissing, r.pos(top), "add kind: "+want, "the document has no field \"kind\"")
		return Pos{}, false
	case kind.Kind == yaml.ScalarNode && kind.Value == want:
		return r.pos(kind), true
	case kind.Kind == yaml.ScalarNode && kind.Value == other:
		r.fail(codeKind, r.pos(kind), otherMend, "a %s does not belong into this file", other)
	case kind.Kind == yaml.ScalarNode && !isNull(kind):
		r.fail(codeKind, r.pos(kind), suggest(kind.Value, []string{"Repository", "Share"}, "the kinds are "), "kind %s is not known", quote(kind.Value))
	default:
		var t text
		t.read(r, "kind", kind)
	}
	return Pos{}, false
}
