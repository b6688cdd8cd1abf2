package main

import (
	"context"
	"time"

	v1 "k8s.io/api/core/v1"
	cacheddiscovery "k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/scale"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/controller-manager/pkg/informerfactory"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller/certificates/rootcacertpublisher"
	"k8s.io/kubernetes/pkg/controller/clusterroleaggregation"
	"k8s.io/kubernetes/pkg/controller/cronjob"
	"k8s.io/kubernetes/pkg/controller/daemon"
	"k8s.io/kubernetes/pkg/controller/deployment"
	"k8s.io/kubernetes/pkg/controller/disruption"
	"k8s.io/kubernetes/pkg/controller/endpointslice"
	"k8s.io/kubernetes/pkg/controller/garbagecollector"
	"k8s.io/kubernetes/pkg/controller/job"
	"k8s.io/kubernetes/pkg/controller/namespace"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
	"k8s.io/kubernetes/pkg/controller/replicaset"
	"k8s.io/kubernetes/pkg/controller/serviceaccount"
	"k8s.io/kubernetes/pkg/controller/statefulset"
	"k8s.io/kubernetes/pkg/controller/ttlafterfinished"
	"k8s.io/kubernetes/pkg/controller/volume/pvcprotection"
)

// startControllers starts the controllers of a kube-controller-manager that deployments need. The whole program would be a
// tenth more to build, and its autoscaler needs a metrics server. The caller may add informers, and starts them.
func startControllers(ctx context.Context, api *rest.Config, authority []byte) (informers.SharedInformerFactory, error) {
	// each has a client of its own, so that the audit log names it
	client := func(name string) kubernetes.Interface {
		return kubernetes.NewForConfigOrDie(unlimited(api, name+"-controller"))
	}
	shared := client("shared")
	factory := informers.NewSharedInformerFactory(shared, 0)
	core, apps, batch := factory.Core().V1(), factory.Apps().V1(), factory.Batch().V1()
	var start []func()

	deployments, err := deployment.NewDeploymentController(ctx, apps.Deployments(), apps.ReplicaSets(), core.Pods(), client("deployment"))
	if err != nil {
		return nil, err
	}
	start = append(start, func() { deployments.Run(ctx, 5) })
	replicaSets := replicaset.NewReplicaSetController(ctx, apps.ReplicaSets(), core.Pods(), client("replicaset"), replicaset.BurstReplicas)
	start = append(start, func() { replicaSets.Run(ctx, 5) })
	statefulSets := statefulset.NewStatefulSetController(ctx, core.Pods(), apps.StatefulSets(), core.PersistentVolumeClaims(),
		apps.ControllerRevisions(), client("statefulset"))
	start = append(start, func() { statefulSets.Run(ctx, 5) })
	daemonSets, err := daemon.NewDaemonSetsController(ctx, apps.DaemonSets(), apps.ControllerRevisions(), core.Pods(), core.Nodes(),
		client("daemonset"), flowcontrol.NewBackOff(time.Second, time.Minute))
	if err != nil {
		return nil, err
	}
	start = append(start, func() { daemonSets.Run(ctx, 2) })
	jobs, err := job.NewController(ctx, core.Pods(), batch.Jobs(), client("job"))
	if err != nil {
		return nil, err
	}
	start = append(start, func() { jobs.Run(ctx, 5) })
	cronJobs, err := cronjob.NewControllerV2(ctx, batch.Jobs(), batch.CronJobs(), client("cronjob"))
	if err != nil {
		return nil, err
	}
	start = append(start, func() { cronJobs.Run(ctx, 2) })
	finished := ttlafterfinished.New(ctx, batch.Jobs(), client("ttl-after-finished"))
	start = append(start, func() { finished.Run(ctx, 1) })
	endpointSlices := endpointslice.NewController(ctx, core.Pods(), core.Services(), core.Nodes(), factory.Discovery().V1().EndpointSlices(),
		100, client("endpointslice"), 0)
	start = append(start, func() { endpointSlices.Run(ctx, 5) })

	accounts, err := serviceaccount.NewServiceAccountsController(core.ServiceAccounts(), core.Namespaces(), client("serviceaccount"),
		serviceaccount.DefaultServiceAccountsControllerOptions())
	if err != nil {
		return nil, err
	}
	start = append(start, func() { accounts.Run(ctx, 1) })
	authorities, err := rootcacertpublisher.NewPublisher(core.ConfigMaps(), core.Namespaces(), client("root-ca-publisher"), authority)
	if err != nil {
		return nil, err
	}
	start = append(start, func() { authorities.Run(ctx, 1) })
	roles := clusterroleaggregation.NewClusterRoleAggregation(factory.Rbac().V1().ClusterRoles(), client("clusterrole-aggregation").RbacV1())
	start = append(start, func() { roles.Run(ctx, 1) })
	claims, err := pvcprotection.NewPVCProtectionController(klog.FromContext(ctx), core.PersistentVolumeClaims(), core.Pods(),
		client("pvc-protection"))
	if err != nil {
		return nil, err
	}
	start = append(start, func() { claims.Run(ctx, 1) })

	mapper := restmapper.NewDeferredDiscoveryRESTMapper(cacheddiscovery.NewMemCacheClient(shared.Discovery()))
	scales, err := scale.NewForConfig(unlimited(api, "horizontal-pod-autoscaler"), mapper, dynamic.LegacyAPIPathResolverFunc,
		scale.NewDiscoveryScaleKindResolver(shared.Discovery()))
	if err != nil {
		return nil, err
	}
	scaler := client("horizontal-pod-autoscaler")
	autoscaler := podautoscaler.NewHorizontalController(ctx, scaler.CoreV1(), scales, scaler.AutoscalingV2(), mapper,
		podMetrics{core.Pods().Lister()}, factory.Autoscaling().V2().HorizontalPodAutoscalers(), core.Pods(),
		// looks each second, and scales down after five
		time.Second, 5*time.Second, 0.1, time.Second, time.Second)
	start = append(start, func() { autoscaler.Run(ctx, 2) })
	disruptions := disruption.NewDisruptionController(ctx, core.Pods(), factory.Policy().V1().PodDisruptionBudgets(),
		core.ReplicationControllers(), apps.ReplicaSets(), apps.Deployments(), apps.StatefulSets(), client("disruption"), mapper, scales,
		shared.Discovery())
	start = append(start, func() { disruptions.Run(ctx) })

	metadataOf := func(name string) metadata.Interface {
		return metadata.NewForConfigOrDie(unlimited(api, name+"-controller"))
	}
	namespaces := namespace.NewNamespaceController(ctx, client("namespace"), metadataOf("namespace"),
		shared.Discovery().ServerPreferredNamespacedResources, core.Namespaces(), 5*time.Minute, v1.FinalizerKubernetes)
	start = append(start, func() { namespaces.Run(ctx, 5) })
	partial := metadatainformer.NewSharedInformerFactory(metadataOf("garbage-collector"), 0)
	started := make(chan struct{})
	garbage, err := garbagecollector.NewGarbageCollector(ctx, client("garbage-collector"), metadataOf("garbage-collector"), mapper,
		garbagecollector.DefaultIgnoredResources(), informerfactory.NewInformerFactory(factory, partial), started)
	if err != nil {
		return nil, err
	}
	start = append(start, func() { garbage.Run(ctx, 5, 10*time.Second) })
	// usually each 30 seconds: owners of a kind that a test has just defined should be known sooner
	start = append(start, func() { garbage.Sync(ctx, shared.Discovery(), 5*time.Second) })

	factory.Start(ctx.Done())
	partial.Start(ctx.Done())
	close(started)
	for _, each := range start {
		go each()
	}
	return factory, nil
}
