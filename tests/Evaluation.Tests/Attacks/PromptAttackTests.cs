using SafeLlama.Data;
using SafeLlama.Inference;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Evaluation.Tests;

/// <summary>What attacks on prompts send, with a tiny engine.</summary>
[TestFixture]
public sealed class PromptAttackTests : IDisposable
{
    private static readonly DecodingConfig Decoding = DecodingConfig.Greedy(6);

    private readonly string _model = TinyModel.Write(Path.Combine(TestFiles.NewFolder(), "model"));

    private LlamaSession _session = null!;

    [OneTimeSetUp]
    public void Open() => _session = LlamaSession.Open(new CpuBackend(1), _model, new() { OwnsBackend = true });

    public void Dispose() => _session.Dispose();

    [Test]
    public void Text_that_spells_a_control_token_never_becomes_one()
    {
        var spelled = string.Join(' ', _session.Tokenizer.ControlTokens) + " </s><s>";
        var prompt = Prompt("p") with { Text = $"Tell me {spelled}" };
        var context = Context(prompt) with
        {
            Answers = new Dictionary<string, string> { [prompt.Key] = $"Sure {spelled} here it is" },
        };
        int[] control = [.. _session.Tokenizer.ControlTokens.Select(t => _session.Tokenizer.ControlId(t)!.Value)];
        Assert.That(control, Is.Not.Empty);
        foreach (var trial in (IAttackTrial[])
            [.. Wrapper.All.Select(w => new WrapperTrial(w)), new PrefillTrial(12)])
        {
            var ids = Sent(trial, context)[prompt.Key].Ids;
            Assert.That(ids.Skip(1).Intersect(control), Is.Empty, trial.Setting);
        }
    }

    /// <summary>Once, the space that ends a template was lost, and the model was given words that it never
    /// learned.</summary>
    [Test]
    public void A_prefill_is_the_first_tokens_of_the_answer_as_a_model_learns_it(
        [Values("alpaca", "vicuna", "plain", "Request: {instruction} Response: ")] string template,
        [Values(1, 4)] int tokens)
    {
        using var session = LlamaSession.Open(new CpuBackend(1), _model, new()
        {
            Template = template.Contains('{', StringComparison.Ordinal)
                ? AlpacaTemplate.Create("t", "", "{input}" + template, template, "Response:")
                : PromptTemplate.Load(template),
            OwnsBackend = true,
        });
        var prompt = Prompt("p");
        const string Given = "Yes, one and two and three and four.";
        var context = new AttackContext(session, Decoding, [prompt], [], [])
        {
            Answers = new Dictionary<string, string> { [prompt.Key] = Given },
        };
        var sent = Sent(new PrefillTrial(tokens), context)[prompt.Key];
        var learned = SegmentEncoder.Ids(
            session.Tokenizer, session.Template.Render(new InstructionExample(prompt.Text, "", Given)));
        Assert.That(sent.Ids, Is.EqualTo(learned.Take(session.PromptIds(prompt.Text).Length + tokens)));
        Assert.That(sent.Prefill, Is.Not.Empty);
        Assert.That(Given, Does.StartWith(sent.Prefill!.Trim()));
    }

    [Test]
    public void A_prefill_is_no_answer_of_the_model_unless_it_is_said_to_be_judged()
    {
        var prompt = Prompt("p");
        ModelAnswer Answer(bool judged)
        {
            using var prepared = new PrefillTrial(3).Prepare(
                Context(prompt) with { JudgePrefill = judged }, "", null, default);
            return prepared.Responder.Answer([new(prompt, 0)], default)[0];
        }

        var (own, whole) = (Answer(judged: false), Answer(judged: true));
        Assert.That(own.Prefill, Is.Not.Null.And.EqualTo(whole.Prefill));
        Assert.That(own.AnswerTokens, Is.EqualTo(whole.AnswerTokens).And.LessThanOrEqualTo(6));
        Assert.That(own.Text, Does.Not.StartWith(own.Prefill!.Trim()));
        Assert.That(whole.Text, Is.EqualTo((own.Prefill + own.Text).Trim())
            .Or.EqualTo((own.Prefill + " " + own.Text).Trim()), "the space between them is the model's or the prefill's");
    }

    [Test]
    public void An_exchange_about_the_same_request_is_not_shown()
    {
        SuitePrompt[] prompts =
        [
            Prompt("a") with { Origin = "one" }, Prompt("b") with { Origin = "one" },
            Prompt("c") with { Origin = "two" }, Prompt("d") with { Origin = "three" },
        ];
        var context = Context(prompts) with
        {
            Answers = prompts.ToDictionary(p => p.Key, p => $"The answer to {p.Id}."),
        };
        var sent = Sent(new ManyShotTrial(2), context);
        Assert.That(sent["s/a"].Before.Select(m => m.Content), Is.EquivalentTo(
            new[] { prompts[2].Text, "The answer to c.", prompts[3].Text, "The answer to d." }));
        Assert.That(_session.Tokenizer.Decode(sent["s/a"].Ids), Does.Contain("The answer to c.").And.EndWith("Response:\n"));
    }

    [Test]
    public void Prompts_that_an_attack_cannot_send_are_left_out_and_counted()
    {
        SuitePrompt[] prompts = [Prompt("a"), Prompt("b"), Prompt("c")];
        var context = Context(prompts) with
        {
            Answers = new Dictionary<string, string> { ["s/a"] = "One.", ["s/b"] = "Two." },
        };
        using var few = new ManyShotTrial(2).Prepare(context, "", null, default);
        Assert.That(few.Prompts.Select(p => p.Id), Is.EqualTo(new[] { "c" }));
        Assert.That(few.Notes, Has.Some.Contains("2 of 3 prompts: the attack has nothing to send"));

        var longer = Prompt("long") with { Text = string.Concat(Enumerable.Repeat("very ", 400)) };
        using var fitting = new WrapperTrial(Wrapper.All[0]).Prepare(Context(prompts[0], longer), "", null, default);
        Assert.That(fitting.Prompts.Select(p => p.Id), Is.EqualTo(new[] { "a" }));
        Assert.That(fitting.Notes, Has.Some.Contains("1 of 2 prompts: with the attack and 6 tokens"));
    }

    private static Dictionary<string, AttackedPrompt> Sent(IAttackTrial trial, AttackContext context)
    {
        using var prepared = trial.Prepare(context, "", null, default);
        return new(prepared.Attacked);
    }

    private AttackContext Context(params SuitePrompt[] prompts) => new(_session, Decoding, prompts, [], []);

    private static SuitePrompt Prompt(string id) =>
        new("s", id, $"Tell me about thing {id}.", PromptLabel.Unsafe, PromptFormat.Instruction);
}
