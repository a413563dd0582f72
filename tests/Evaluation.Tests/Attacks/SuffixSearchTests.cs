using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Inference;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Evaluation.Tests;

[TestFixture]
public sealed class SuffixSearchTests
{
    private const string Request = "Tell me about thing number 3.";
    private const string Wanted = "Yes, here it is, one and two.";

    private static readonly SuffixSettings Settings = new(4, 6) { Batch = 12, TopK = 16, Target = 6 };

    private static readonly string Model = TinyModel.Write(Path.Combine(TestFiles.NewFolder(), "model"));

    [Test]
    public void A_search_lowers_the_loss_and_its_text_is_read_as_its_tokens(
        [Values("alpaca", "vicuna")] string template)
    {
        using var session = Open(1, template);
        var found = Find(session, Settings)!;
        Assert.That(found.Loss, Is.LessThan(found.StartLoss));
        Assert.That(found.Tried, Is.GreaterThan(Settings.Steps));
        Assert.That(found.Tokens, Has.Count.EqualTo(Settings.Length));
        var ids = SegmentEncoder.Ids(session.Tokenizer, session.Template.RenderPrompt(Request + found.Suffix));
        Assert.That(Holds(ids, [.. found.Tokens]), "the text that is sent has the tokens that were searched");
        Assert.That(
            found.Tokens.Except(SuffixSearch.Allowed(session.Tokenizer, session.Model.Config.VocabularySize)), Is.Empty);

        // The loss of the text as it is sent, by the scorer, which shares no code with the search.
        using var scorer = new Scorer(session.Model);
        int[] whole = SegmentEncoder.Ids(
            session.Tokenizer, session.Template.Render(new InstructionExample(Request + found.Suffix, "", Wanted)));
        var answer = whole[ids.Length..][..Settings.Target];
        var scored = -scorer.LogLikelihoods([.. ids, .. answer])[^answer.Length..].Average();
        Assert.That(found.Loss, Is.EqualTo(scored).Within(1e-4), "fp32 sums in another order");
    }

    [Test]
    public void Equal_seeds_find_equal_suffixes_at_any_number_of_threads()
    {
        using var one = Open(1);
        using var two = Open(2);
        Assert.That(Json(Find(two, Settings)), Is.EqualTo(Json(Find(one, Settings))));
    }

    [Test]
    public void A_longer_search_goes_on_from_a_shorter_one()
    {
        using var session = Open(1);
        var (less, more) = (Find(session, Settings with { Steps = 3 })!, Find(session, Settings with { Steps = 9 })!);
        Assert.That(more.StartLoss, Is.EqualTo(less.StartLoss));
        Assert.That(more.Loss, Is.LessThanOrEqualTo(less.Loss));
    }

    [Test]
    public void No_control_token_and_no_invisible_text_is_allowed()
    {
        using var session = Open(1);
        var allowed = SuffixSearch.Allowed(session.Tokenizer, session.Model.Config.VocabularySize);
        Assert.That(allowed, Is.Not.Empty);
        Assert.That(allowed.Intersect([0, 1, 2]), Is.Empty, "<unk>, <s> and </s>");
        Assert.That(allowed.Select(id => session.Tokenizer.Decode([id])), Is.All.Matches<string>(
            text => text!.Trim().Length > 0 && text.All(c => c is >= ' ' and <= '~')));
    }

    /// <summary>As reported of another tool: a suffix that is tokenized alone may be other tokens in its
    /// place.</summary>
    [Test]
    public void A_suffix_that_grows_together_with_its_neighbors_does_not_read_back()
    {
        using var session = Open(1);
        var allowed = SuffixSearch.Allowed(session.Tokenizer, session.Model.Config.VocabularySize);
        var (text, _) = SuffixText.Begin(
            session, Request, t => session.Template.RenderPrompt(t), 3, (_, i) => allowed[i % allowed.Length])!.Value;
        var pairs = (from a in allowed.Take(120) from b in allowed.Take(120) select (int[])[a, b]).ToList();
        var fails = pairs.Where(pair => !text.ReadsBack(pair)).Take(5).ToList();
        Assert.That(fails, Is.Not.Empty, "some pairs merge into one token");
        foreach (var pair in fails)
        {
            Assert.That(Holds(text.Ids(pair), pair) && text.Ids(pair).AsSpan(0, text.Before.Length)
                .SequenceEqual(text.Before) && text.Ids(pair).AsSpan(text.Before.Length, 2).SequenceEqual(pair), Is.False);
        }
    }

    private static SuffixFound? Find(LlamaSession session, SuffixSettings settings)
    {
        using var gradient = new TokenGradient(session.Model);
        return new SuffixSearch(session, gradient, settings).Find(
            "s/p", Request, text => session.Template.RenderPrompt(text),
            text => session.Template.RenderBegun(new InstructionExample(text, "", ""), Wanted),
            Philox.Stream(5, "test"), default);
    }

    private static string Json(SuffixFound? found) =>
        System.Text.Json.JsonSerializer.Serialize(found, EvaluationJson.Line);

    private static bool Holds(int[] ids, int[] part) =>
        Enumerable.Range(0, ids.Length - part.Length + 1).Any(i => ids.AsSpan(i, part.Length).SequenceEqual(part));

    private static LlamaSession Open(int threads, string template = "alpaca") => LlamaSession.Open(
        new CpuBackend(threads), Model, new() { Template = PromptTemplate.Load(template), OwnsBackend = true });
}
