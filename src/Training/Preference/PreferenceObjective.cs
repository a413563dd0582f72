using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Distributed;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>The mean loss of preferences: pairs, or single answers.</summary>
/// <remarks>
/// Two passes of the head: the first gives Σ log p of every answer; from these the host has the loss and one slope for
/// each answer; the second multiplies each token's gradient by its answer's. The host waits for the device once in
/// each micro-batch, for a number per target.
/// </remarks>
/// <param name="settings">The loss.</param>
public sealed class PreferenceObjective(PreferenceSettings settings) : StepObjective
{
    private PreferenceSums _sums = new();
    private double? _point;
    private double _nllScale;

    /// <summary>What the policy is compared with; null where the loss needs none.</summary>
    public ReferenceLikelihoods? Reference { get; set; }

    /// <summary>
    /// Counts what means are taken over, and estimates KTO's z: the mean log-ratio of answers under prompts that are
    /// not theirs, not below 0.
    /// </summary>
    public override void Begin(Llama model, Workspace workspace, IReadOnlyList<PackedBatch> batches)
    {
        _sums = new();
        var examples = batches.SelectMany(b => b.Examples).ToList();
        if (settings.Objective == Objective.Orpo)
        {
            // The summed loss is divided by the count of pairs; the likelihood is a mean over tokens.
            _nllScale = (double)examples.Count / examples.Sum(e => ChosenTargets(Of(e)));
        }

        _point = settings.Objective != Objective.Kto ? null
            : settings.ReferencePoint ?? Math.Max(0, Drift(model, workspace, batches));
    }

    public override double[] Scales(IReadOnlyList<PackedBatch> batches)
    {
        var count = batches.Sum(Count);
        return [.. batches.Select(_ => 1.0 / count)];
    }

    public override int Count(PackedBatch batch) => batch.Examples.Count;

    public override void Loss(Llama model, Pass pass, PackedBatch batch, double scale, Tensor total)
    {
        model.TargetLosses(pass);
        var nll = new RowLosses(batch, pass.Head.Nll.ReadDoubles());
        var weights = new double[batch.TargetCount];
        var loss = 0.0;
        foreach (var packed in batch.Examples)
        {
            loss += Of(packed) is { Kind: PreferenceKind.Pair } pair
                ? Pair(pair, packed.Start, nll, weights)
                : Single(Of(packed), packed.Start, nll, weights);
        }

        total.Write([total.ReadDoubles()[0] + loss]);
        if (pass.Scratch is not null)
        {
            for (var t = 0; t < weights.Length; t++)
            {
                weights[t] *= scale;
            }

            model.BackwardTargets(pass, weights);
        }
    }

    public override PreferenceMetrics? Metrics() => _sums.Means(_point);

    private static PreferenceExample Of(PackedExample packed) => packed.Example as PreferenceExample
        ?? throw new ArgumentException($"{packed.Id} is no preference", nameof(packed));

    private static int ChosenTargets(PreferenceExample pair) =>
        pair.Targets.Take(pair.Sequences[1].Start).Count(t => t != TokenizedExample.NoTarget);

    /// <returns>The pair's loss; <paramref name="weights"/> of its targets become ∂loss/∂nll.</returns>
    private double Pair(PreferenceExample pair, int start, RowLosses nll, double[] weights)
    {
        var (chosen, rejected) = (Likelihood(pair, 0, start, nll), Likelihood(pair, 1, start, nll));
        var (loss, c, r) = PreferenceLoss.Pair(settings, chosen, rejected);
        var (begin, middle, end) = (start, start + pair.Sequences[1].Start, start + pair.Length);
        nll.Fill(weights, start + pair.Sequences[0].Answer, middle, -c.Slope);
        nll.Fill(weights, start + pair.Sequences[1].Answer, end, -r.Slope);
        if (settings.Objective == Objective.Orpo)
        {
            var targets = ChosenTargets(pair);
            var sum = nll.Sum(begin, middle);
            nll.Fill(weights, begin, middle, _nllScale);
            loss += _nllScale * sum;
            _sums.Nll = (_sums.Nll.Sum + sum, _sums.Nll.Count + targets);
        }

        Add(true, chosen, c);
        Add(false, rejected, r);
        _sums.Judge(c.Reward > r.Reward);
        return loss;
    }

    private double Single(PreferenceExample row, int start, RowLosses nll, double[] weights)
    {
        var (answer, wanted) = (Likelihood(row, 0, start, nll), row.Kind == PreferenceKind.Desirable);
        var (loss, a) = PreferenceLoss.Single(settings, answer, wanted, _point!.Value);
        nll.Fill(weights, start + row.Sequences[0].Answer, start + row.Length, -a.Slope);
        Add(wanted, answer, a);
        _sums.Judge(a.Reward > settings.Beta * _point.Value == wanted);
        return loss;
    }

    private void Add(bool wanted, AnswerLikelihood answer, AnswerLoss loss) =>
        _sums.Add(wanted, loss.Reward, answer.Sum / (settings.LengthNormalization ? answer.Count : 1));

    private AnswerLikelihood Likelihood(PreferenceExample example, int side, int start, RowLosses nll)
    {
        var sequence = example.Sequences[side];
        var end = side + 1 < example.Sequences.Count ? example.Sequences[side + 1].Start : example.Length;
        return new(
            -nll.Sum(start + sequence.Answer, start + end),
            sequence.AnswerCount,
            Reference is null ? 0 : Reference.Of(example)[side]);
    }

    /// <summary>The mean log-ratio of mismatched answers over all of a step, without dropout or gradient.</summary>
    private double Drift(Llama model, Workspace workspace, IReadOnlyList<PackedBatch> batches)
    {
        var (sum, count) = (0.0, 0);
        foreach (var batch in batches)
        {
            var rows = batch.Examples.Select(Of).Where(row => row.Mismatched is not null).ToList();
            if (rows.Count == 0)
            {
                continue;
            }

            var likelihoods = ReferenceLikelihoods.Measure(model, workspace, [.. rows.Select(row => row.Mismatched!)]);
            sum += rows.Zip(likelihoods, (row, now) => now[0] - Reference!.Of(row)[^1]).Sum();
            count += rows.Count;
        }

        return count > 0 ? sum / count : throw NoOtherPrompt();
    }

    /// <summary>Preferences are learned by one process alone.</summary>
    /// <exception cref="SafeLlamaException">Several ranks would share the work.</exception>
    internal static void RequireOneProcess(bool learnsPreferences, ICommunicator ranks)
    {
        if (learnsPreferences && ranks.Size > 1)
        {
            throw SafeLlamaException.Usage(
                $"{ranks.Size} ranks: preferences are learned by one process alone.", "start it without ranks");
        }
    }

    internal static SafeLlamaException NoOtherPrompt() => new(
        ExitCode.InvalidData,
        "KTO's reference point is estimated from answers under other prompts, and no two prompts differ within "
        + $"`{nameof(FineTuneRequest.MaxLength)}`.",
        null, $"give the point with `{nameof(FineTuneRequest.ReferencePoint)}`");
}
