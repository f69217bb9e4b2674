package vfs

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// TestFolderHolds names files outside of a folder in every way there is.
func TestFolderHolds(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "in")
	for _, err := range []error{
		os.MkdirAll(filepath.Join(dir, "sub"), 0o700), os.WriteFile(filepath.Join(base, "secret"), []byte("s"), 0o600),
		os.WriteFile(filepath.Join(dir, "a"), []byte("a"), 0o600), os.Symlink("../secret", filepath.Join(dir, "link")),
		os.Symlink(base, filepath.Join(dir, "up")), os.Symlink("a", filepath.Join(dir, "near")), syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	f, err := OpenFolder(Disk(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, name := range []string{"../secret", "sub/../../secret", "/etc/passwd", "link", "up/secret", filepath.Join(base, "secret")} {
		for what, try := range map[string]func(string) (File, error){"Open": f.Open, "Create": f.Create, "OpenAppend": f.OpenAppend} {
			if file, err := try(name); !errors.Is(err, ErrOutside) {
				t.Errorf("%s(%s) = %v, %v, not ErrOutside", what, name, file, err)
			}
		}
		if _, err := f.Stat(name); !errors.Is(err, ErrOutside) {
			t.Errorf("Stat(%s): %v", name, err)
		}
	}
	if _, err := f.List("up"); !errors.Is(err, ErrOutside) {
		t.Errorf("List(up): %v", err)
	}
	if _, err := f.Open("pipe"); err == nil {
		t.Error("a pipe was opened")
	}
	if text, _ := os.ReadFile(filepath.Join(base, "secret")); string(text) != "s" {
		t.Errorf("the file outside is now %q", text)
	}
	file, err := f.Open("near")
	if err != nil {
		t.Fatal("a link that stays inside:", err)
	}
	if text, err := io.ReadAll(file); string(text) != "a" || err != nil {
		t.Errorf("near: %q, %v", text, err)
	}
	file.Close()
}

// TestFolderFiles writes, appends and lists on both kinds of file systems.
func TestFolderFiles(t *testing.T) {
	mem := NewMem()
	if err := mem.MkdirAll("/data/in"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		fs  FS
		dir string
	}{{Disk(), t.TempDir()}, {mem, "/data/in"}} {
		f, err := OpenFolder(c.fs, c.dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, open := range []func(string) (File, error){f.Create, f.OpenAppend} {
			file, err := open("d/e/x")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := file.Write([]byte("ab")); err != nil {
				t.Fatal(err)
			}
			file.Close()
		}
		info, err := f.Stat("d/e/x")
		if err != nil || info.Size != 4 || info.IsDir {
			t.Errorf("Stat: %+v, %v", info, err)
		}
		if names, err := f.List("d"); !slices.Equal(names, []string{"e"}) || err != nil {
			t.Errorf("List: %v, %v", names, err)
		}
		if _, err := f.Open("../x"); !errors.Is(err, ErrOutside) {
			t.Errorf("Open(../x): %v", err)
		}
		if err := f.Remove("d/e/x"); err != nil {
			t.Error(err)
		}
		if _, err := f.Open("d/e/x"); !IsNotExist(err) {
			t.Errorf("a removed file: %v", err)
		}
		f.Close()
	}
}
