import Experiments
import Testing

@Suite struct MonitorTests {
    @Test(
        "The better end of a metric is told from its name as Keras would from its class",
        arguments: [
            "accuracy", "val_accuracy", "acc", "auc", "val_auc_1", "sparse_top_k_categorical_accuracy", "r2_score",
            "f1_score", "mean_io_u", "precision_2", "head_accuracy", "cosine_similarity", "true_positives",
            "recall_at_precision", "kappa", "val_kappa", "psnr", "ssim", "mcc", "map", "ndcg", "ndcg_10", "score",
            "dice",
            "average_precision", "iou_class_3", "f1_macro",
        ])
    func growing(metric: String) {
        #expect(MetricName.growsWithQuality(metric))
    }

    @Test(
        "What is no accuracy or score is better the less there is of it, whatever its output is called",
        arguments: [
            "loss", "val_loss", "mae", "val_mean_squared_error", "head_loss", "false_positives", "false_negatives_1",
            "kl_divergence", "poisson", "hinge", "brier_score", "accumulated_error", "something_else", "score_mae",
            "map_loss",
            "score_kl_divergence",
        ])
    func falling(metric: String) {
        #expect(!MetricName.growsWithQuality(metric))
    }

    private func experiment(_ further: String) throws -> Experiment {
        try Experiment(
            yaml: "model: a.keras\ndata: {x: x.npy, y: y.npy}\nfit: {validation: 0.2}\n\(further)", file: "e.yaml")
    }

    @Test(
        "What the experiment says of a metric goes before its name",
        arguments: [
            "save: {best: kappa, mode: min}", "save: [all, {best: val_kappa, mode: min}]",
            "save: {top: 3, monitor: kappa, mode: min}",
            "callbacks: [{early_stopping: {monitor: val_kappa, mode: min}}]",
            "save: {best: kappa, mode: min}\ncallbacks: [{early_stopping: {monitor: kappa, mode: max}}]",
        ])
    func said(further: String) throws {
        let experiment = try experiment(further)
        #expect(experiment.lessIsBetter("kappa") && experiment.lessIsBetter("val_kappa"))
        #expect(!experiment.lessIsBetter("accuracy") && experiment.lessIsBetter("loss"))
    }

    @Test("What is said of a metric itself goes before what is said of it on other rows")
    func exactly() throws {
        let experiment = try experiment(
            "save: {best: kappa, mode: min}\ncallbacks: [{early_stopping: {monitor: val_kappa, mode: max}}]")
        #expect(experiment.lessIsBetter("kappa") && !experiment.lessIsBetter("val_kappa"))
    }

    @Test("Models are kept by the direction that trials are compared by")
    func kept() throws {
        for (further, less) in [
            ("", false), ("callbacks: [{early_stopping: {monitor: val_kappa, mode: min}}]\n", true),
        ] {
            let experiment = try experiment(further + "save: {best: val_kappa}")
            let (metric, lessIsBetter) = experiment.resolved(try #require(experiment.save.best))
            #expect(metric == "val_kappa" && lessIsBetter == less)
        }
        #expect(try experiment("").resolved(Monitor()) == ("val_loss", true))
        #expect(try experiment("save: {best: val_loss, mode: max}").resolved(Monitor()) == ("val_loss", false))
    }
}
