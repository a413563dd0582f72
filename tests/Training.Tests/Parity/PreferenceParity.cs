using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Training.Tests.Parity;

/// <summary>The losses of preference tuning against TRL: likelihoods, losses, rewards, metrics and gradients.</summary>
internal static class PreferenceParity
{
    private static readonly string[] Sides = ["chosen", "rejected"];

    /// <param name="microBatch">Examples that pass through the model at once: it changes no expectation.</param>
    public static void Check(IBackend backend, ReferenceCase reference, int microBatch)
    {
        var config = LlamaConfig.Load(reference.ModelFolder);
        using var weights = LlamaWeights.Load(backend, config, reference.ModelFolder);
        using var adapter = PeftFolder.Load(backend, config, reference.FolderOf("adapter"), trainable: true);
        using var policy = new Llama(backend, weights, adapter, maxLength: 32);
        using var plain = new Llama(backend, weights, null, maxLength: 32);
        using var workspace = new Workspace(policy, microBatch * 40, forBackward: true);
        using var room = new Workspace(plain, microBatch * 40, forBackward: false);

        var settings = Settings(reference);
        var unpaired = settings.Objective == Objective.Kto;
        var examples = unpaired ? Rows(reference, settings) : Pairs(reference);
        var now = ReferenceLikelihoods.Compute(policy, workspace, examples, microBatch);
        var before = settings.Objective.NeedsReference()
            ? ReferenceLikelihoods.Compute(plain, room, examples, microBatch) : null;
        var objective = new PreferenceObjective(settings) { Reference = before };
        using var trainer = new Trainer(
            policy,
            workspace,
            new TrainerSettings(new(ScheduleShape.Constant, 1e-3, 0, 1)) { Objective = objective },
            examples.Count);
        var report = trainer.Step(BatchPacker.Step(examples, microBatch));

        Likelihoods(reference, examples, now, before);
        if (unpaired)
        {
            reference.Compare("kl", report.Preference!.ReferencePoint!.Value, reference.Tolerance("metrics_atol"));
            Single(reference, settings, examples, now, before!, report.Preference);
        }
        else
        {
            Paired(reference, settings, examples, now, before, report.Preference!);
        }

        var (atol, rtol) = (reference.Tolerance("loss_atol"), reference.Tolerance("loss_rtol"));
        foreach (var name in new[] { "loss", "loss_fp64_independent" })
        {
            reference.Compare(name, report.Loss, atol + (rtol * Math.Abs(reference.Number(name))));
        }

        var tolerance = reference.Tolerance("grad_max_abs_over_tensor_absmax");
        reference.Compare("grad_global_norm", report.GradientNorm, tolerance * reference.Number("grad_global_norm"));
        foreach (var parameter in policy.Parameters)
        {
            reference.CompareToLargest("grad." + parameter.Name, parameter.Gradient.ReadDoubles(), tolerance);
        }

        reference.MustBeReadWhole();
    }

    /// <summary>The preferences of a case.</summary>
    public static IReadOnlyList<PreferenceExample> Examples(ReferenceCase reference) =>
        reference.Has("kl") ? Rows(reference, Settings(reference)) : Pairs(reference);

    public static PreferenceSettings Settings(ReferenceCase reference)
    {
        var type = reference.Text("loss_type");
        var objective = type == "sigmoid" ? Objective.Dpo : Enum.Parse<Objective>(type, ignoreCase: true);
        double Number(string name, double otherwise) => reference.Has(name) ? reference.Number(name) : otherwise;
        return new PreferenceSettings(objective)
        {
            Beta = reference.Number("beta"),
            LabelSmoothing = Number("label_smoothing", 0),
            Gamma = Number("gamma", 0),
            DesirableWeight = Number("desirable_weight", 1),
            UndesirableWeight = Number("undesirable_weight", 1),
            ReferencePoint = reference.Has("kl_given") ? reference.Number("kl_given") : null,
        };
    }

    private static List<PreferenceExample> Pairs(ReferenceCase reference)
    {
        var (chosen, rejected) = (Sequences(reference, "chosen_"), Sequences(reference, "rejected_"));
        var wholly = reference.Has("nll_over") && reference.Text("nll_over").StartsWith("prompt", StringComparison.Ordinal);
        return [.. chosen.Zip(rejected, (c, r) => PreferenceExample.Pair(
            wholly ? PreferenceSide.LastAnswer(c).WithInputs() : PreferenceSide.LastAnswer(c),
            PreferenceSide.LastAnswer(r)))];
    }

    private static List<PreferenceExample> Rows(ReferenceCase reference, PreferenceSettings settings)
    {
        var labels = reference.Ints("label");
        List<PreferenceExample> rows = [.. Sequences(reference, "").Zip(labels, (row, label) =>
            PreferenceExample.Single(PreferenceSide.LastAnswer(row), desirable: label == 1))];
        return settings.ReferencePoint is not null ? rows
            : [.. rows.Zip(Sequences(reference, "kl_"), (row, other) => row with { Mismatched = other })];
    }

    /// <summary>The padded rows without their padding.</summary>
    private static List<TokenizedExample> Sequences(ReferenceCase reference, string prefix)
    {
        var (ids, mask, answer) = (
            reference.Ints(prefix + "input_ids"), reference.Ints(prefix + "attention_mask"),
            reference.Ints(prefix + "answer_mask"));
        var columns = reference.ShapeOf(prefix + "input_ids")[1];
        return [.. Enumerable.Range(0, ids.Length / columns).Select(row =>
        {
            var kept = Enumerable.Range(row * columns, columns).TakeWhile(i => mask[i] == 1).ToList();
            return TokenizedExample.FromLabels(
                $"{prefix}row {row}", default, [.. kept.Select(i => ids[i])], [.. kept.Select(i => answer[i] == 1)]);
        })];
    }

    private static void Likelihoods(
        ReferenceCase reference, IReadOnlyList<PreferenceExample> examples, ReferenceLikelihoods now,
        ReferenceLikelihoods? before)
    {
        void Compare(string name, ReferenceLikelihoods found, Index place) => reference.Compare(
            name, [.. examples.Select(e => found.Of(e)[place])], reference.Doubles(name),
            reference.Tolerance("logps_atol"));
        var paired = examples[0].Kind == PreferenceKind.Pair;
        string[] names = paired ? [.. Sides.Select(s => s + "_logps")]
            : examples[0].Mismatched is null ? ["logps"] : ["logps", "kl"];
        for (var i = 0; i < names.Length; i++)
        {
            string Name(string of) => names[i] == "kl" ? $"kl_{of}_logps" : $"{of}_{names[i]}";
            Compare(Name("policy"), now, i);
            if (before is not null)
            {
                Compare(Name("reference"), before, i);
            }
        }
    }

    private static void Paired(
        ReferenceCase reference, PreferenceSettings settings, IReadOnlyList<PreferenceExample> examples,
        ReferenceLikelihoods now, ReferenceLikelihoods? before, PreferenceMetrics metrics)
    {
        var pairs = examples.Select(e => PreferenceLoss.Pair(settings, Of(e, 0), Of(e, 1))).ToList();
        AnswerLikelihood Of(PreferenceExample e, int side) =>
            new(now.Of(e)[side], e.Sequences[side].AnswerCount, before?.Of(e)[side] ?? 0);
        Losses(reference, [.. pairs.Select(p => p.Loss)]);
        Compare(reference, "chosen_rewards", [.. pairs.Select(p => p.Chosen.Reward)]);
        Compare(reference, "rejected_rewards", [.. pairs.Select(p => p.Rejected.Reward)]);

        var mean = pairs.Average(p => p.Loss);
        foreach (var metric in reference.Field("metrics").EnumerateObject())
        {
            reference.Compare(
                "metrics " + metric.Name,
                metric.Name switch
                {
                    "rewards/chosen" => metrics.RewardChosen!.Value,
                    "rewards/rejected" => metrics.RewardRejected!.Value,
                    "rewards/accuracies" => metrics.Accuracy,
                    "rewards/margins" => metrics.Margin!.Value,
                    "logps/chosen" => metrics.LogpChosen!.Value,
                    "logps/rejected" => metrics.LogpRejected!.Value,
                    "nll_loss" => metrics.Nll!.Value,
                    "log_odds_ratio" => -mean / settings.Beta,

                    // −log σ(o) = L/λ, solved for o.
                    "log_odds_chosen" => pairs.Average(p => -Math.Log(Math.Exp(p.Loss / settings.Beta) - 1)),
                    _ => throw new ParityException($"{reference.Name}: no test knows the metric {metric.Name}."),
                },
                metric.Value.GetDouble(),
                reference.Tolerance("metrics_atol"));
        }
    }

    private static void Single(
        ReferenceCase reference, PreferenceSettings settings, IReadOnlyList<PreferenceExample> rows,
        ReferenceLikelihoods now, ReferenceLikelihoods before, PreferenceMetrics metrics)
    {
        var point = metrics.ReferencePoint!.Value;
        var found = rows.Select(row => PreferenceLoss.Single(
            settings,
            new(now.Of(row)[0], row.Sequences[0].AnswerCount, before.Of(row)[0]),
            row.Kind == PreferenceKind.Desirable,
            point)).ToList();
        Losses(reference, [.. found.Select(f => f.Loss)]);
        Compare(reference, "rewards", [.. found.Select(f => f.Answer.Reward)]);
        if (!reference.Has("kl_given"))
        {
            // Before the clamp.
            reference.Compare(
                "kl_mean_before_clamp", rows.Average(row => now.Of(row)[^1] - before.Of(row)[^1]),
                reference.Tolerance("logps_atol"));
        }
        else
        {
            reference.Compare("kl_mean_before_clamp", point, 0);
        }

        var (chosen, rejected) = (
            rows.Count(r => r.Kind == PreferenceKind.Desirable), rows.Count(r => r.Kind == PreferenceKind.Undesirable));
        foreach (var metric in reference.Field("metrics").EnumerateObject())
        {
            var (actual, times) = metric.Name switch
            {
                "kl" => (point, 1),
                "rewards/chosen_sum" => (metrics.RewardChosen!.Value * chosen, chosen),
                "rewards/rejected_sum" => (metrics.RewardRejected!.Value * rejected, rejected),
                "logps/chosen_sum" => (metrics.LogpChosen!.Value * chosen, chosen),
                "logps/rejected_sum" => (metrics.LogpRejected!.Value * rejected, rejected),
                "count/chosen" => ((double)chosen, 1),
                "count/rejected" => (rejected, 1),
                "rewards/margins" => (metrics.Margin!.Value, 1),
                _ => throw new ParityException($"{reference.Name}: no test knows the metric {metric.Name}."),
            };

            // A sum of six is off by six times as much as one.
            reference.Compare(
                "metrics " + metric.Name, actual, metric.Value.GetDouble(), times * reference.Tolerance("metrics_atol"));
        }
    }

    private static void Losses(ReferenceCase reference, double[] found) => reference.Compare(
        "losses", found, reference.Doubles("losses"), reference.Tolerance("losses_atol"),
        reference.Tolerance("losses_rtol"));

    private static void Compare(ReferenceCase reference, string name, double[] found) =>
        reference.Compare(name, found, reference.Doubles(name), reference.Tolerance("rewards_atol"));
}
