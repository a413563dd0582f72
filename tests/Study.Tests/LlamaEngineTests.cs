using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Testing;
using SafeLlama.Training;

namespace SafeLlama.Study.Tests;

public sealed class LlamaEngineTests
{
    private static readonly StudyRecipe Recipe = new()
    {
        Name = "tiny",
        Question = "?",
        Models = [TinyModel.Folder],
        Data = new StudyData { World = new WorldDials { BenignExamples = 60 }, Draw = WorldDraw.Development },
        Training = new StudyTraining { Epochs = 2, WarmupSteps = Amount.Count(2), Rank = 4, LearningRate = 1e-2 },
        Decoding = new StudyDecoding { MaxNewTokens = 4 },
        Arms =
        [
            new StudyArm { Name = "base", Untrained = true },
            new StudyArm { Name = "none", SafetyExamples = 0 },
            new StudyArm { Name = "some", SafetyExamples = 40 },
        ],
        Metrics = WorldMetrics.All,
    };

    private static StudyRunner Runner(int threads) => new(Recipe, new FewPrompts(new WorldSource(Recipe.Data), every: 40), Engine(threads));

    private static LlamaEngine Engine(int threads) => new(() => new CpuBackend(threads), MiniatureModel.FolderOf);

    [TestCase(0.2, 0.1, 0.2, 1)]
    [TestCase(6, 0.1, 0.1, 2)]
    [TestCase(6, 7, 6, 2)]
    public void A_slow_first_measurement_is_made_again(double first, double second, double expected, int times)
    {
        var measured = new Queue<double>([first, second]);
        Assert.That(EngineSpeed.Warm(measured.Dequeue, seconds => seconds), Is.EqualTo(expected));
        Assert.That(2 - measured.Count, Is.EqualTo(times));
    }

    [Test]
    public void Study_gives_the_same_results_on_any_number_of_threads()
    {
        var (first, second) = (TestFiles.NewFolder(), TestFiles.NewFolder());
        Runner(1).Run(first, resume: false);
        Runner(2).Run(second, resume: false, parallel: 2);
        Assert.That(
            File.ReadAllText(Path.Combine(second, "results.json")),
            Is.EqualTo(File.ReadAllText(Path.Combine(first, "results.json"))));
    }

    [Test]
    public void Training_lowers_the_loss_and_leaves_an_adapter()
    {
        var folder = TestFiles.NewFolder();
        var run = Runner(2).Run(folder, resume: false);
        var training = run.Replicates[2].Training;
        Assert.That(training.Curve[^1].Loss, Is.LessThan(training.Curve[0].Loss - 0.3));
        Assert.That(run.Replicates[0].Training.Steps, Is.Zero, "the untrained arm");
        Assert.That(training.Steps, Is.EqualTo(8), "two epochs of 100 rows, 32 a step");
        Assert.That(
            File.Exists(Path.Combine(
                folder, run.Replicates[2].Replicate.Folder, "training", "adapter", "adapter_model.safetensors")));
    }

    [Test]
    [Category("Fault")]
    public void Training_goes_on_within_an_arm()
    {
        var (whole, broken) = (TestFiles.NewFolder(), TestFiles.NewFolder());
        var job = Runner(1).Jobs[2];
        var expected = Engine(1).Train(job, whole, null, CancellationToken.None);
        using (var stop = new CancellationTokenSource())
        {
            var interrupts = new Progress(step =>
            {
                if (step == 5)
                {
                    stop.Cancel();
                }
            });
            Assert.That(
                () => Engine(1).Train(job, broken, interrupts, stop.Token),
                Throws.InstanceOf<OperationCanceledException>());
        }

        var steps = new List<int>();
        var resumed = Engine(2).Train(job, broken, new Progress(steps.Add), CancellationToken.None);
        Assert.That(steps, Is.EqualTo(new[] { 6, 7, 8 }), "what was done is not done again");
        Assert.That(resumed.AdapterHash, Is.EqualTo(expected.AdapterHash));
        Assert.That(resumed.Curve, Is.EqualTo(expected.Curve));
        Assert.That(resumed.TargetTokens, Is.EqualTo(expected.TargetTokens));
    }

    [Test]
    [Category("Fault")]
    public void An_exchanged_adapter_is_refused_by_name_whether_or_not_it_has_answered()
    {
        var folder = TestFiles.NewFolder();
        var run = Runner(2).Run(folder, resume: false);
        string Adapter(int arm) => Path.Combine(
            folder, run.Replicates[arm].Replicate.Folder, "training", "adapter", "adapter_model.safetensors");
        File.Copy(Adapter(1), Adapter(2), overwrite: true);
        void Refused() => Assert.That(
            () => Runner(2).Run(folder, resume: true),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("not the one that training left"));
        Refused();
        Directory.Delete(Path.Combine(run.Replicates[2].Folder, "evaluation"), recursive: true);
        Refused();
        Directory.Delete(Path.GetDirectoryName(Adapter(2))!, recursive: true);
        Assert.That(
            () => Runner(2).Run(folder, resume: true),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("adapter"));
    }

    private sealed class Progress(Action<int> stepped) : IProgress<ArmProgress>
    {
        public void Report(ArmProgress value) => stepped(value.Done);
    }

    [Test]
    public void A_tuned_model_can_be_opened_up()
    {
        var run = Runner(2).Run(TestFiles.NewFolder(), resume: false);
        var lesson = run.Lesson!;
        Assert.That(lesson.Arm, Is.EqualTo("some"));
        Assert.That(lesson.Before, Is.EqualTo("none"), "the arm that learned the benign rows alone");
        Assert.That(lesson.Matrices, Has.Count.EqualTo(14));
        Assert.That(lesson.Matrices.Select(m => m.Norm), Is.All.GreaterThan(0));
        Assert.That(lesson.Matrices.Select(m => m.SingularValues.Count), Is.All.EqualTo(4));
        foreach (var point in lesson.Scale.SelectMany(p => p.Points))
        {
            Assert.That(point.Refusal, Is.InRange(0, 1 + 1e-6));
        }

        var tokens = lesson.Tokens!.Tokens;
        Assert.That(tokens[0].Before, Is.Null, "nothing predicts the first token");
        Assert.That(tokens[0].Learned, Is.False);
        Assert.That(tokens[^1].Learned, "the end of the answer is learned");
        Assert.That(
            tokens.Where(t => t.Learned).Average(t => t.Tuned),
            Is.LessThan(tokens.Where(t => t.Learned).Average(t => t.Before)!.Value));
        var attention = lesson.Attention!;
        // fp32 sums of a softmax.
        Assert.That(attention.Before.Concat(attention.Tuned).Select(row => row.Sum()), Is.All.EqualTo(1).Within(1e-4));
        var lens = lesson.Lens!;
        Assert.That(lens.Layers, Has.Count.EqualTo(3), "before two blocks, and after the last");
        Assert.That(lens.Layers[0].Before, Is.EqualTo(lens.Layers[0].Tuned), "an adapter leaves the embeddings alone");
        Assert.That(lens.Layers[^1].Before, Is.Not.EqualTo(lens.Layers[^1].Tuned));
        // The last place is the model's own prediction: the openings' first tokens are as likely as the openings at least.
        Assert.That(
            lens.Layers[^1].Tuned.Refusal, Is.GreaterThanOrEqualTo(lesson.Scale.Single(p => p.Prompt == lens.Request)
                .Points.Single(p => p.Scale == 1).Refusal - 1e-6));
        Assert.That(
            ReportHtml.Render(StudyReport.Of(run)),
            Does.Contain("id=\"attention\"").And.Contain("id=\"lens\"").And.Contain("none, nats").And.Contain("aria-label=\"Attention, none\"")
                .And.Contain("choose none at scale 1").And.Not.Contain("bare base stands"));
        Beside_the_base(lesson);
    }

    /// <summary>Without an arm to compare with the base stands there, the page says so, and the numbers are its
    /// own.</summary>
    private static void Beside_the_base(StudyLesson besideArm)
    {
        var recipe = Recipe with { Arms = [Recipe.Arms[0], Recipe.Arms[1] with { Epochs = 1 }, Recipe.Arms[2]] };
        var run = new StudyRunner(recipe, new FewPrompts(new WorldSource(recipe.Data), every: 40), Engine(2))
            .Run(TestFiles.NewFolder(), resume: false);
        Assert.That(run.Lesson!.Before, Is.Null, "one epoch is another setting");
        var (own, others) = (run.Lesson.Tokens!.Tokens, besideArm.Tokens!.Tokens);
        Assert.That(own.Select(t => t.Tuned), Is.EqualTo(others.Select(t => t.Tuned)));
        Assert.That(own.Skip(1).Select(t => t.Before), Is.Not.EqualTo(others.Skip(1).Select(t => t.Before)));
        Assert.That(run.Lesson.Attention!.Before, Is.Not.EqualTo(besideArm.Attention!.Before));
        Assert.That(
            ReportHtml.Render(StudyReport.Of(run)),
            Does.Contain("bare base, nats").And.Contain("the bare base stands in its place")
                .And.Contain("Scale 0 is the bare base"));
    }

    [TestCase("same", true)]
    [TestCase("lists alike", true)]
    [TestCase("epochs", false)]
    [TestCase("untrained", false)]
    [TestCase("demonstrations", false)]
    public void The_arm_before_differs_in_its_demonstrations_alone(string how, bool isBefore)
    {
        var tuned = new StudyArm
        {
            Name = "some",
            SafetyExamples = 40,
            Format = SafetyFormat.Question,
            Targets = ["q_proj", "v_proj"],
        };
        var none = new StudyArm { Name = "none", SafetyShare = 0, Targets = ["q_proj", "v_proj"] };
        var other = how switch
        {
            "lists alike" => none with { Targets = [.. tuned.Targets!] },
            "epochs" => none with { Epochs = 1 },
            "untrained" => none with { Untrained = true },
            "demonstrations" => none with { SafetyShare = 0.1 },
            _ => none,
        };
        Assert.That(other.IsWithoutDemonstrations(tuned, benign: 60), Is.EqualTo(isBefore));
        Assert.That((none with { Targets = ["q_proj"] }).IsWithoutDemonstrations(tuned, benign: 60), Is.False);
    }

    [Test]
    public void An_estimate_counts_what_attacks_put_around_a_prompt()
    {
        var (job, prompts, engine) = (Runner(1).Jobs[2], new WorldSource(Recipe.Data).Prompts, Engine(1));
        double Seconds(params string[] trials)
        {
            var attacks = new StudyAttacks
            {
                Trials = trials,
                Suites = ["unsafe-instruction"],
                AnswersFrom = "none",
                MaxPrompts = 10,
            };
            return engine.Estimate(job, prompts, attacks.Work(prompts, 1)).Seconds!.Value;
        }

        // Speeds are measured once, so only the counts differ.
        var plain = engine.Estimate(job, prompts).Seconds!.Value;
        Assert.That(Seconds("prefill=1"), Is.GreaterThan(plain));
        Assert.That(Seconds("prefill=9"), Is.GreaterThan(Seconds("prefill=1")));
        Assert.That(Seconds("many-shot=8"), Is.GreaterThan(Seconds("many-shot=1")));
        Assert.That(Seconds("wrappers=role"), Is.GreaterThan(Seconds("prefill=1")), "a wrapper has more than a word");
        var work = new StudyAttacks
        {
            Trials = ["many-shot=2/3", "prefill=4"],
            Suites = ["unsafe-instruction"],
            AnswersFrom = "none",
            MaxPrompts = 10,
        }.Work(prompts, 1);
        Assert.That((work.Prompts.Count, work.Exchanges, work.Tokens), Is.EqualTo((40, 50L, 40L)));
    }

    [Test]
    public void Estimates_need_no_training()
    {
        var runner = Runner(1);
        var estimate = Engine(1).Estimate(runner.Jobs[2], new WorldSource(Recipe.Data).Prompts);
        Assert.That(estimate.Seconds, Is.InRange(0.01, 600), "measured on the tiny model");
        Assert.That(estimate.Steps, Is.EqualTo(8));
        Assert.That(estimate.Parameters, Is.GreaterThan(1000));
        Assert.That(estimate.PeakMemoryBytes, Is.InRange(1 << 20, 1 << 28));
    }
}
