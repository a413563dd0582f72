using SafeLlama.Data;
using SafeLlama.Inference;
using SafeLlama.Model;

namespace SafeLlama.Study;

/// <summary>Measures a tuned model: the updates of its adapter, and their effects.</summary>
internal sealed class LessonProbe(LlamaSession opened, ArmJob job)
{
    private readonly LoraAdapter _adapter = opened.Adapter
        ?? throw new ArgumentException("an untrained arm has no adapter to look into", nameof(opened));

    public StudyLesson Explain(LessonPlan plan)
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
            return new(
                job.Arm.Name, matrices, scale, Tokens(strength, plan.Example),
                Attention(strength, plan.AttentionRequest));
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
            var (ids, answer) = WithAnswer(request, opening, end: false);
            return Math.Exp(scorer.LogLikelihoods(ids).Skip(answer - 1).Sum());
        });
    }

    private TokenView Tokens(AdapterStrength strength, InstructionExample example)
    {
        var (ids, answer) = WithAnswer(example.Question, example.Output, end: true);
        var tuned = AtScale(strength, 1, () => Losses(ids));
        var plain = AtScale(strength, 0, () => Losses(ids));
        return new([.. ids.Select((id, i) => new TokenLoss(
            Text(id), i >= answer, i == 0 ? null : plain[i - 1], i == 0 ? null : tuned[i - 1]))]);
    }

    private double[] Losses(int[] ids)
    {
        using var scorer = new Scorer(opened.Model);
        return Array.ConvertAll(scorer.LogLikelihoods(ids), likelihood => -likelihood);
    }

    /// <summary>The head that changes most between base and tuned model, by the sum of absolute differences.</summary>
    private AttentionView Attention(AdapterStrength strength, string request)
    {
        var ids = opened.PromptIds(request);
        using var reader = new ResidualReader(opened.Model);
        var layers = Enumerable.Range(0, opened.Model.Config.Layers).ToArray();
        var plain = AtScale(strength, 0, () => reader.Attention(ids, layers));
        var tuned = AtScale(strength, 1, () => reader.Attention(ids, layers));
        var (layer, head) = (
            from l in Enumerable.Range(0, opened.Model.Config.Layers)
            from h in Enumerable.Range(0, opened.Model.Config.Heads)
            orderby Change(plain[l][h], tuned[l][h]) descending
            select (l, h)).First();
        return new(layer, head, [.. ids.Select(Text)], plain[layer][head], tuned[layer][head]);
    }

    private static double Change(double[][] first, double[][] second) =>
        first.Zip(second, (x, y) => x.Zip(y, (a, b) => Math.Abs(a - b)).Sum()).Sum();

    /// <summary>The ids of a prompt with its answer, and where the answer begins.</summary>
    private (int[] Ids, int Answer) WithAnswer(string request, string answer, bool end)
    {
        var segments = job.Template.Render(new InstructionExample(request, "", answer));
        var encoded = SegmentEncoder.Encode(opened.Tokenizer, end ? segments : [.. segments.SkipLast(1)]);
        return ([.. encoded.Ids], encoded.Segments.TakeWhile(segment => !segments[segment].Trained).Count());
    }

    private string Text(int id) => opened.Tokenizer.Decode([id], keepControl: true) is { Length: > 0 } text
        ? text.Replace(' ', '␣')
        : $"#{id}";

    private static T AtScale<T>(AdapterStrength strength, double scale, Func<T> look)
    {
        strength.Set(scale);
        return look();
    }
}
