package temporal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"
	sdk "go.temporal.io/sdk/temporal"
)

// Types of the errors that cross the wire.
const (
	faultPermanent = "permanent"
	faultPassing   = "passing"
	faultStopped   = "stopped" // the attempt was given up, through no fault of the work
)

// Permanent marks an error that no repetition will mend.
func Permanent(err error) error { return permanent{err} }

type permanent struct{ error }

func (p permanent) Unwrap() error   { return p.error }
func (p permanent) Permanent() bool { return true }

func isPermanent(err error) bool {
	var p interface{ Permanent() bool }
	return errors.As(err, &p) && p.Permanent()
}

// Why an attempt is given up: the causes of the end of its context.
var (
	errCancelled = errors.New("the run was cancelled")
	errDraining  = errors.New("the worker is being stopped")
	errStalled   = errors.New("nothing was counted for too long")
	errForgotten = errors.New("the server has given this attempt up")
	errPaused    = errors.New("the activity was paused or reset")
)

// maxMessage bounds the bytes of an error's text.
const maxMessage = 4 << 10

// verdict is the error of an attempt in the words of the engine. what names the part of the work.
func verdict(ctx context.Context, what string, err error) error {
	cause := context.Cause(ctx)
	text := fmt.Sprintf("%s: %v", what, err)
	if len(text) > maxMessage {
		text = text[:maxMessage] + " ..."
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(cause, errCancelled):
		return sdk.NewCanceledError()
	case cause != nil:
		return sdk.NewApplicationErrorWithOptions(fmt.Sprintf("%s: %v", what, cause), faultStopped, sdk.ApplicationErrorOptions{
			NextRetryDelay: 50 * time.Millisecond, // at once: zero would mean the policy's
		})
	case isPermanent(err):
		return sdk.NewNonRetryableApplicationError(text, faultPermanent, nil)
	default:
		return sdk.NewApplicationError(text, faultPassing)
	}
}

// ended says what the answer to a heartbeat means for the attempt; nil is to go on.
func ended(err error) error {
	var cancelled *sdk.CanceledError
	var notFound *serviceerror.NotFound
	switch {
	case errors.As(err, &cancelled):
		return errCancelled
	case errors.As(err, &notFound):
		return errForgotten
	case errors.Is(err, activity.ErrActivityPaused), errors.Is(err, activity.ErrActivityReset):
		return errPaused
	}
	return nil // no answer: the server decides when the attempt is over
}
