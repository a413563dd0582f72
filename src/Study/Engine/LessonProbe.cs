using SafeLlama.Data;
using SafeLlama.Inference;
using SafeLlama.Model;

namespace SafeLlama.Study;

/// <summary>Measures a tuned model: the updates of its adapter, and their effects.</summary>
internal sealed class LessonProbe(LlamaSession opened, ArmJob job)
{
    private readonly LoraAdapter _adapter = opened.Adapter
        ?? throw new ArgumentException("an untrained arm has no adapter to look into", nameof(opened));

    /// <param name="plan">What to show.</param>
    /// <param name="before">The arm that this one stands beside, and what it reads; null for the bare base.</param>
    public StudyLesson Explain(LessonPlan plan, (string Arm, LessonReading Reading)? before)
    {
        var strength = new AdapterStrength(opened.Model.Backend, opened.Weights, _adapter);
        try
        {
            var matrices = _adapter.Pairs.Select(Anatomy).ToList();
            var scale = plan.Probes.Select(request => new ScaleProbe(
                request,
                    [
                        .. LessonPlan.Scales.Select(s => new ScalePoint(
                            s, AtScale(strength, s, () => Refusal(request, plan.Openings)))),
                    ])).ToList();
            var first = before?.Reading ?? AtScale(strength, 0, () => LessonReading.Of(opened, job.Template, plan));
            var tuned = AtScale(strength, 1, () => LessonReading.Of(opened, job.Template, plan));
            return new(
                job.Arm.Name, matrices, scale, Tokens(plan.Example, first.Losses, tuned.Losses),
                Attention(plan.Request, first.Attention, tuned.Attention))
            {
                Before = before?.Arm,
                Lens = Lens(plan, first.Lens, tuned.Lens),
            };
        }
        finally
        {
            strength.Set(1);
        }
    }

    private MatrixAnatomy Anatomy(LoraFactors pair)
    {
        var values = LowRankProduct.SingularValues(pair.A.Value.ReadDoubles(), pair.B.Value.ReadDoubles(), pair.Rank)
            .Select(v => v * pair.Scale).ToList();
        var weight = opened.Weights[pair.Module + ".weight"].Value.ReadDoubles();
        var (layer, linear) = LlamaShapes.PlaceOf(pair.Module);
        return new(
            layer,
            linear,
            Math.Sqrt(values.Sum(v => v * v)),
            Math.Sqrt(weight.Sum(w => w * w)),
            values);
    }

    /// <summary>
    /// The probability that the answer begins with a refusal: a sum, since no opening is the beginning of another.
    /// </summary>
    private double Refusal(string request, IReadOnlyList<string> openings)
    {
        using var scorer = new Scorer(opened.Model);
        return openings.Sum(opening =>
        {
            var (ids, answer) = LessonReading.WithAnswer(opened, job.Template, request, opening, end: false);
            return Math.Exp(scorer.LogLikelihoods(ids).Skip(answer - 1).Sum());
        });
    }

    private TokenView Tokens(InstructionExample example, IReadOnlyList<double> before, IReadOnlyList<double> tuned)
    {
        var (ids, answer) = LessonReading.WithAnswer(opened, job.Template, example.Question, example.Output, end: true);
        return new([.. ids.Select((id, i) => new TokenLoss(
            Text(id), i >= answer, i == 0 ? null : before[i - 1], i == 0 ? null : tuned[i - 1]))]);
    }

    /// <summary>The head that differs most from the model before, by the sum of absolute differences.</summary>
    private AttentionView Attention(string request, double[][][][] before, double[][][][] tuned)
    {
        var (layer, head) = (
            from l in Enumerable.Range(0, opened.Model.Config.Layers)
            from h in Enumerable.Range(0, opened.Model.Config.Heads)
            orderby Change(before[l][h], tuned[l][h]) descending
            select (l, h)).First();
        return new(
            layer, head, [.. opened.PromptIds(request).Select(Text)], before[layer][head], tuned[layer][head]);
    }

    private LensView Lens(LessonPlan plan, double[][] before, double[][] tuned)
    {
        var refusals = plan.Openings.Select(opening =>
        {
            var (ids, answer) = LessonReading.WithAnswer(opened, job.Template, plan.Request, opening, end: false);
            return ids[answer];
        }).ToHashSet();
        LensGuess Guess(double[] logits)
        {
            var known = logits[..Math.Min(logits.Length, opened.Tokenizer.VocabularySize)];
            var (token, likelihood) = TokenScore.Of(known, 0, 1).Top[0];
            return new(
                Text(token), Math.Exp(likelihood),
                refusals.Sum(id => Math.Exp(TokenScore.Of(known, id, 1).LogProbability)));
        }

        return new(plan.Request, [.. before.Zip(tuned, (b, t) => new LensLayer(Guess(b), Guess(t)))]);
    }

    private static double Change(double[][] first, double[][] second) =>
        first.Zip(second, (x, y) => x.Zip(y, (a, b) => Math.Abs(a - b)).Sum()).Sum();

    private string Text(int id) => opened.Tokenizer.Decode([id], keepControl: true) is { Length: > 0 } text
        ? text.Replace(' ', '␣')
        : $"#{id}";

    private static T AtScale<T>(AdapterStrength strength, double scale, Func<T> look)
    {
        strength.Set(scale);
        return look();
    }
}
