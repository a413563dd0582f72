using SafeLlama.Data;
using SafeLlama.Inference;

namespace SafeLlama.Study;

/// <summary>What one model makes of a lesson's example and request, to stand beside another's.</summary>
/// <param name="Losses">[T − 1] its loss on each token of the example after the first, nats.</param>
/// <param name="Attention">[layers][heads][T][T] row i: how token i of the request attends to those up to it.</param>
/// <param name="Lens">[layers + 1][V] logits of the stream at the request's last token.</param>
internal sealed record LessonReading(IReadOnlyList<double> Losses, double[][][][] Attention, double[][] Lens)
{
    /// <summary>Reads with the session's model as it stands.</summary>
    public static LessonReading Of(LlamaSession opened, PromptTemplate template, LessonPlan plan)
    {
        var (ids, _) = WithAnswer(opened, template, plan.Example.Question, plan.Example.Output, end: true);
        using var scorer = new Scorer(opened.Model);
        using var reader = new ResidualReader(opened.Model);
        var request = opened.PromptIds(plan.Request);
        return new(
            Array.ConvertAll(scorer.LogLikelihoods(ids), likelihood => -likelihood),
            reader.Attention(request, [.. Enumerable.Range(0, opened.Model.Config.Layers)]),
            reader.Lens(request));
    }

    /// <summary>The ids of a prompt with its answer, and where the answer begins.</summary>
    public static (int[] Ids, int Answer) WithAnswer(
        LlamaSession opened, PromptTemplate template, string request, string answer, bool end)
    {
        var segments = template.Render(new InstructionExample(request, "", answer));
        var encoded = SegmentEncoder.Encode(opened.Tokenizer, end ? segments : [.. segments.SkipLast(1)]);
        return ([.. encoded.Ids], encoded.Segments.TakeWhile(segment => !segments[segment].Trained).Count());
    }
}
