using SafeLlama.Inference;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Evaluation.Tests;

[TestFixture]
public sealed class EngineTests : IDisposable
{
    private static readonly DecodingConfig Sampling = new()
    {
        Profile = "sampling",
        MaxNewTokens = 12,
        Temperature = 1,
        Seed = 4,
    };

    private string _folder = "";
    private CpuBackend _backend = null!;
    private LlamaSession _session = null!;

    [OneTimeSetUp]
    public void Open()
    {
        _folder = TinyModel.Write(Path.Combine(TestFiles.NewFolder(), "model"));
        _backend = new CpuBackend(2);
        _session = LlamaSession.Open(_backend, _folder);
    }

    public void Dispose()
    {
        _session.Dispose();
        _backend.Dispose();
    }

    private static AnswerRequest[] Requests =>
    [
        .. Suites.Make(pairs: 3).Prompts.SelectMany(
            p => (AnswerRequest[])[new(p, 0), new(p with { Text = p.Text + " And why, in the end?" }, 1)]),
    ];

    [TestCase("greedy")]
    [TestCase("beams")]
    [TestCase("sampling")]
    public void An_answer_does_not_depend_on_its_batch(string profile)
    {
        var settings = profile switch
        {
            "greedy" => DecodingConfig.Greedy(12),
            "beams" => DecodingConfig.AuthorsEffective with { MaxNewTokens = 8 },
            _ => Sampling,
        };
        var responder = new EngineResponder(_session, settings);
        var together = responder.Answer(Requests, CancellationToken.None);
        var alone = Requests.Select(r => responder.Answer([r], CancellationToken.None)[0]).ToArray();
        Assert.That(together.Select(a => a.Text), Is.EqualTo(alone.Select(a => a.Text)));
        Assert.That(together.Select(a => a.PromptTokens), Is.EqualTo(alone.Select(a => a.PromptTokens)));
        Assert.That(together.All(a => a.AnswerTokens <= 12 && a.StopReason is "end" or "length"));
    }

    [Test]
    public void Samples_of_one_prompt_differ_and_repeat_by_seed()
    {
        var prompt = Suites.Make().Prompts[0];
        var responder = new EngineResponder(_session, Sampling);
        var answers = responder.Answer([new(prompt, 0), new(prompt, 1), new(prompt, 0)], CancellationToken.None);
        Assert.That(answers[0].Text, Is.EqualTo(answers[2].Text));
        Assert.That(answers[0].Text, Is.Not.EqualTo(answers[1].Text));
    }

    [Test]
    public void A_continuations_likelihoods_add_up_along_the_text()
    {
        using var likelihood = new EngineLikelihood(_session);
        double Score(string context, string continuation) =>
            likelihood.Score([new(context, continuation)], CancellationToken.None)[0].LogLikelihood;
        var whole = Score("", "Question: one two three?\nAnswer: yes");
        var parts = Score("", "Question: one two three?\nAnswer:") + Score("Question: one two three?\nAnswer:", " yes");
        Assert.That(parts, Is.EqualTo(whole).Within(1e-4), "one text, cut between two tokens; float32 sums");
        Assert.That(Score("Question?\nAnswer: ", "yes"), Is.EqualTo(Score("Question?\nAnswer:", " yes")).Within(1e-9));
    }

    [Test]
    public void A_prompts_context_stands_where_the_template_puts_an_input()
    {
        var responder = new EngineResponder(_session, DecodingConfig.Greedy(1));
        var prompt = Suites.Make().Prompts[0] with { Context = "A text to refer to." };
        var ids = responder.Answer([new(prompt, 0)], CancellationToken.None)[0].PromptTokens;
        Assert.That(_session.Tokenizer.Decode([.. ids]), Does.Contain("### Input:\nA text to refer to."));
    }

    [Test]
    public void A_prompt_that_does_not_fit_is_named()
    {
        var responder = new EngineResponder(_session, DecodingConfig.Greedy(400));
        var prompt = Suites.Make().Prompts[0] with { Text = string.Concat(Enumerable.Repeat("very ", 200)) };
        Assert.That(() => responder.Answer([new(prompt, 0)], CancellationToken.None),
            Throws.InstanceOf<Common.SafeLlamaException>().With.Message.Contains("tiny/s0: has"));
    }
}
