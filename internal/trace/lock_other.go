//go:build !unix

package trace

import (
	"errors"
	"os"
)

// Where Windows itself runs, there is no Wine, and so no prefix to lock.
func lock(string) (*os.File, error) { return nil, errors.ErrUnsupported }

func relock(string) (*os.File, error) { return nil, errors.ErrUnsupported }
