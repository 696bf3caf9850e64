package source

import (
	"bytes"
	"fmt"

	"github.com/nxport/nxport/internal/tree"
)

// Source text is in UTF-8, with a byte order mark or without, or in an encoding of 8 bits, whose bytes above ASCII count as
// letters: both are read as they are. UTF-16 with a byte order mark, in which Visual Studio writes some files, is decoded to
// UTF-8; offsets in tokens are those of the decoded text, and places those of the file.

// readText makes a source file of what a file holds, without tokens yet.
func readText(p, dir string, data []byte) (*file, error) {
	if tree.IsUTF16(data) {
		text, wide := tree.DecodeUTF16(data)
		return &file{path: p, dir: dir, data: text, size: len(text), wide: wide}, nil
	}
	if tree.IsBinary(data) {
		return nil, fmt.Errorf("%s: offset %d: a NUL byte: this is no source text", p, bytes.IndexByte(data, 0))
	}
	return &file{path: p, dir: dir, data: data, size: len(data)}, nil
}
