// The yardstick: an operator on controller-runtime that only refreshes, as one would write it in Go.
//
// It watches the metadata of the Secrets named access-token and replaces each token when it is due. A line on standard
// input is a new audience: then every token is due at once. The end of the input is its own.
package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"flag"
	"log"
	"os"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

const (
	ttl          = 30 * time.Minute
	minRemaining = 10 * time.Minute
	refreshAge   = (ttl - minRemaining) * 6 / 10
	expiresAt    = "latchkey.dev/expires-at"
	digest       = "latchkey.dev/claims-digest"
)

type refresher struct {
	client.Client
	key      *ecdsa.PrivateKey
	audience atomic.Pointer[string]
}

func (r *refresher) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	seen := secretMetadata()
	if err := r.Get(ctx, request.NamespacedName, seen); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	audience := *r.audience.Load()
	expires, _ := time.Parse(time.RFC3339, seen.Annotations[expiresAt])
	wait := time.Until(expires.Add(refreshAge - ttl))
	if seen.Annotations[digest] == audience && wait > 0 {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	secret, err := r.mint(seen, audience, time.Now())
	if err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{RequeueAfter: refreshAge}, r.Update(ctx, secret)
}

func (r *refresher) mint(seen *metav1.PartialObjectMetadata, audience string, now time.Time) (*corev1.Secret, error) {
	user, expires := seen.Annotations["latchkey.dev/user"], now.Add(ttl).Truncate(time.Second)
	token := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{
		"iss": "https://localhost:20443", "sub": seen.Labels["latchkey.dev/user-uid"], "aud": []string{audience},
		"exp": expires.Unix(), "nbf": now.Unix() - 5, "iat": now.Unix(), "jti": uuid.NewString(),
		"sid": seen.Annotations["latchkey.dev/session"], "preferred_username": user, "email": user + "@example.org",
		"name": "Bench " + user, "groups": []string{"analytics", "engineering", "everyone"}, "role": "member",
		"latchkey.dev/namespace": seen.Namespace,
	})
	token.Header["kid"] = "V1Ke4YbLkkzAUVrnBTE1ZX8YnhUuM0Ug6X4T4uA2nTE"
	signed, err := token.SignedString(r.key)
	annotations := map[string]string{}
	for name, value := range seen.Annotations {
		annotations[name] = value
	}
	annotations[expiresAt], annotations[digest] = expires.UTC().Format(time.RFC3339), audience
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name: seen.Name, Namespace: seen.Namespace, UID: seen.UID, ResourceVersion: seen.ResourceVersion,
			Labels: seen.Labels, Annotations: annotations,
		},
		Type: corev1.SecretTypeOpaque,
		Data: map[string][]byte{"AUTH_TOKEN": []byte(signed)},
	}, err
}

func secretMetadata() *metav1.PartialObjectMetadata {
	return &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}}
}

func main() {
	flag.Parse()
	ctrl.SetLogger(klog.Background())
	config := ctrl.GetConfigOrDie()
	config.QPS = -1
	key := check(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	named := cache.ByObject{Field: fields.OneTermEqualSelector("metadata.name", "access-token")}
	manager := check(ctrl.NewManager(config, ctrl.Options{
		Metrics: server.Options{BindAddress: "0"},
		Cache:   cache.Options{ByObject: map[client.Object]cache.ByObject{secretMetadata(): named}},
	}))
	r := &refresher{Client: manager.GetClient(), key: key}
	first := "bench"
	r.audience.Store(&first)
	due := make(chan event.GenericEvent, 1024)
	err := ctrl.NewControllerManagedBy(manager).
		For(&corev1.Secret{}, builder.OnlyMetadata).
		WatchesRawSource(source.Channel(due, &handler.EnqueueRequestForObject{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: 32}).
		Complete(r)
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(ctrl.SetupSignalHandler())
	go func() {
		defer stop()
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			audience := lines.Text()
			r.audience.Store(&audience)
			all := &metav1.PartialObjectMetadataList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "SecretList"}}
			if err := manager.GetCache().List(ctx, all); err != nil {
				log.Fatal(err)
			}
			for i := range all.Items {
				due <- event.GenericEvent{Object: &all.Items[i]}
			}
		}
	}()
	if err := manager.Start(ctx); err != nil {
		log.Fatal(err)
	}
}

func check[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
