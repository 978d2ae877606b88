package report

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What the page docs/json.md is compared with and no value holds: constants,
// and the codes that stand where a problem is told, as the sources have them.

// sources are the files of a package, without tests; only names some of them.
func sources(t *testing.T, dir string, only ...string) []*ast.File {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, path := range paths {
		name := filepath.Base(path)
		if strings.HasSuffix(name, "_test.go") || len(only) > 0 && !slices.Contains(only, name) {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	if len(files) == 0 {
		t.Fatalf("%s has no such files", dir)
	}
	return files
}

// ofType is for constants that are declared of a type.
func ofType(want string) func(name, kind string) bool {
	return func(_, kind string) bool { return kind == want }
}

// constants are the values of those texts among a package's constants that are
// asked for, by name and type; a type is empty where none is written.
func constants(t *testing.T, dir string, wanted func(name, kind string) bool, only ...string) []string {
	t.Helper()
	return slices.Collect(maps.Values(constantsByName(t, dir, wanted, only...)))
}

// constantsByName is constants, by their names.
func constantsByName(t *testing.T, dir string, wanted func(name, kind string) bool, only ...string) map[string]string {
	t.Helper()
	values := map[string]string{}
	for _, f := range sources(t, dir, only...) {
		for _, d := range f.Decls {
			decl, ok := d.(*ast.GenDecl)
			if !ok || decl.Tok != token.CONST {
				continue
			}
			for _, s := range decl.Specs {
				spec := s.(*ast.ValueSpec)
				kind := ""
				if id, ok := spec.Type.(*ast.Ident); ok {
					kind = id.Name
				}
				for i, name := range spec.Names {
					if i >= len(spec.Values) || !wanted(name.Name, kind) {
						continue
					}
					if text := textOf(spec.Values[i], nil); text != "" {
						values[name.Name] = text
					}
				}
			}
		}
	}
	return values
}

// textOf is the value of a text, or of a constant's name, of another package's
// too; else it is empty.
func textOf(e ast.Expr, values map[string]string) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return text
		}
	case *ast.Ident:
		return values[e.Name]
	case *ast.SelectorExpr:
		return values[e.Sel.Name]
	}
	return ""
}

// given are the codes of problems that packages give: those in the field Code
// of a specs.Problem, and those that go into a parameter named code.
func given(t *testing.T, dirs ...string) []string {
	t.Helper()
	values := map[string]string{}
	for _, dir := range dirs {
		maps.Copy(values, constantsByName(t, dir, func(string, string) bool { return true }))
	}
	var codes []string
	for _, dir := range dirs {
		codes = append(codes, givenIn(sources(t, dir), values)...)
	}
	return slices.DeleteFunc(codes, func(code string) bool { return code == "" })
}

// givenIn are the codes that the files of one package give. values are those of
// constants, by name.
func givenIn(files []*ast.File, values map[string]string) (codes []string) {
	takes := map[string]int{} // functions by name: which of their parameters is the code
	for _, f := range files {
		for _, d := range f.Decls {
			if d, ok := d.(*ast.FuncDecl); ok {
				at := 0
				for _, field := range d.Type.Params.List {
					for _, name := range field.Names {
						if name.Name == "code" {
							takes[d.Name.Name] = at
						}
						at++
					}
				}
			}
		}
	}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if method, ok := n.Fun.(*ast.SelectorExpr); ok {
					if at, ok := takes[method.Sel.Name]; ok && at < len(n.Args) {
						codes = append(codes, textOf(n.Args[at], values))
					}
				}
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Code" {
					codes = append(codes, textOf(n.Value, values))
				}
			}
			return true
		})
	}
	return codes
}
