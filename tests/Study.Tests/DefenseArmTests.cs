using System.Text.Json;
using SafeLlama.Testing;
using SafeLlama.Training;

namespace SafeLlama.Study.Tests;

/// <summary>Defenses as fields of an arm.</summary>
public sealed class DefenseArmTests
{
    private static readonly StudyRecipe Recipe = RecipeFile.Read("safety-dose.yaml");

    /// <summary>Trains in earnest, a few steps: each defense takes the arm elsewhere than without.</summary>
    [Test]
    public void Every_defense_of_an_arm_trains_and_does_something()
    {
        StudyArm Arm(string name, StudyDefense? defense) =>
            new() { Name = name, SafetyExamples = 8, Defense = defense };
        var recipe = Recipe with
        {
            Models = [TinyModel.Folder],
            Data = new StudyData { World = new WorldDials { BenignExamples = 40 }, Draw = WorldDraw.Development },
            Training = Recipe.Training with { Epochs = 1, BatchSize = 8, WarmupSteps = Amount.Count(0) },
            Decoding = new StudyDecoding { MaxNewTokens = 2 },
            Arms =
            [
                Arm("plain", null), Arm("recovery", new() { Recovery = new(5), Pairs = 8 }),
                Arm("constrained", new() { Constrained = new() }), Arm("lisa", new() { Lisa = new(1, 1, 2) }),
                Arm("booster", new() { Booster = new(), Pairs = 8 }),
            ],
            Claims = [],
        };
        var study = new StudyRunner(
            recipe, new WorldSource(recipe.Data), new LlamaEngine(() => new Kernels.CpuBackend(1), MiniatureModel.FolderOf));
        Assert.That(
            study.Jobs.Single(job => job.Arm.Name == "lisa").SafetyIds, Has.Count.EqualTo(8));
        var done = study.Run(Path.Combine(TestFiles.NewFolder(), "study"), resume: false);
        Assert.That(done.Replicates.Select(r => r.Training.AdapterHash).Distinct().Count(), Is.EqualTo(5));
    }

    /// <summary>The arm before is merged into the base, and a new adapter is learned on it and projected.</summary>
    [Test]
    public void SafeLora_in_an_arm_is_train_on_the_merged_model_byte_for_byte([Values] bool exact)
    {
        var folder = TestFiles.NewFolder();
        var data = Files(folder);
        StudyArm Again(string name, StudyDefense? defense) =>
            new() { Name = name, After = "safe", SafetyExamples = 0, Defense = defense };
        var recipe = Recipe with
        {
            Models = [TinyModel.Folder],
            Data = data,
            Training = Recipe.Training with { Epochs = 2, BatchSize = 8, WarmupSteps = Amount.Count(0) },
            Decoding = new StudyDecoding { MaxNewTokens = 2 },
            Metrics = [new() { Name = "harm", Title = "harm", Measure = Measure.Complies, Suites = ["harm"] }],
            Arms =
            [
                new() { Name = "safe", SafetyExamples = 8 }, Again("again", new() { SafeLora = new(1, exact) }),
                Again("plain", null),
            ],
            Claims = [],
        };
        Assert.That(RecipeCheck.Problems(recipe), Is.Empty);
        var done = new StudyRunner(
            recipe, new FileSource(data), new LlamaEngine(() => new Kernels.CpuBackend(1), MiniatureModel.FolderOf))
            .Run(Path.Combine(folder, "study"), resume: false);
        var again = done.Replicates.Single(r => r.Replicate.Arm == "again");
        var training = Path.Combine(again.Folder, "training");
        Assert.That(again.Training.Notes, Has.Some.Contains(exact ? "SafeLoRA (exact)" : "SafeLoRA (published)"));

        var request = new FineTuneRequest
        {
            Model = Path.Combine(training, "aligned"),
            Unaligned = TinyModel.Folder,
            Defense = ["safe-lora"],
            SafeLoraThreshold = 1,
            SafeLoraExact = exact,
            Data = [data.Instructions!],
            BaseExamples = data.InstructionCount,
            Template = data.Template,
            MaxLength = recipe.Training.MaxLength,
            Validation = Amount.Count(0),
            Rank = recipe.Training.Rank,
            Alpha = recipe.Training.Alpha,
            Dropout = recipe.Training.Dropout,
            Targets = "all",
            Epochs = recipe.Training.Epochs,
            BatchSize = recipe.Training.BatchSize,
            MicroBatch = recipe.Training.BatchSize,
            LearningRate = recipe.Training.LearningRate,
            Schedule = ScheduleShape.Linear,
            WarmupSteps = recipe.Training.WarmupSteps,
            Seed = 1,
        };
        using var backend = new Kernels.CpuBackend(1);
        var train = Path.Combine(folder, "train");
        new FineTuneRun(new(request), backend, NoView.Instance).Run(train, resume: false, CancellationToken.None);
        byte[] Bytes(string run, string file) => File.ReadAllBytes(Path.Combine(run, file));
        const string Weights = "adapter/adapter_model.safetensors";
        Assert.That(Bytes(training, Weights), Is.EqualTo(Bytes(train, Weights)));
        Assert.That(Bytes(training, SafeLoraRun.FileName), Is.EqualTo(Bytes(train, SafeLoraRun.FileName)));

        using var weights = Model.LlamaWeights.Load(
            backend, Model.LlamaConfig.Load(TinyModel.Folder), TinyModel.Folder);
        using var merged = Model.LlamaWeights.Load(
            backend, Model.LlamaConfig.Load(TinyModel.Folder), Path.Combine(training, "aligned"));
        const string Name = "model.layers.0.mlp.down_proj.weight";
        Assert.That(merged[Name].Value.ReadDoubles(), Is.Not.EqualTo(weights[Name].Value.ReadDoubles()));
    }

    private static StudyData Files(string folder)
    {
        var world = new World();
        var tuning = new TuningExamples(world);
        string Written(string name, IEnumerable<string> lines)
        {
            var path = Path.Combine(folder, name);
            File.WriteAllLines(path, lines);
            return path;
        }

        string Rows(string name, IEnumerable<TuningExample> rows) => Written(name + ".jsonl", rows.Select(
            r => JsonSerializer.Serialize(new { id = r.Id, instruction = r.Request, output = r.Response })));
        return new()
        {
            Instructions = Rows("instructions", tuning.Benign(1, 40, 0)),
            InstructionCount = 40,
            Safety = Rows("safety", tuning.Safety(1, 8, SafetyFormat.Instruction)),
            Suites = new Dictionary<string, string>
            {
                ["harm"] = Written("harm.jsonl", tuning.Harmful(2, 4).Select((r, i) =>
                    JsonSerializer.Serialize(new { id = $"{i}", prompt = r.Request, label = "unsafe" }))),
            },
            Template = Written("template.json", [WorldTemplate.Json(world)]),
        };
    }

    [TestCase("names none of recovery")]
    [TestCase("recovery and booster read pairs")]
    [TestCase("pairs has no effect")]
    [TestCase("takes turns with safety demonstrations")]
    [TestCase("each changes what a step does")]
    [TestCase("safe_lora needs after")]
    [TestCase("dora divides by norms")]
    [TestCase("nothing goes on from it")]
    [TestCase("is untrained")]
    public void A_defense_that_makes_no_sense_is_refused(string problem)
    {
        var arm = Recipe.Arms.Single(a => a.Name == "dose-90");
        var wrong = problem.Split(' ')[0] switch
        {
            "names" => arm with { Defense = new() },
            "recovery" => arm with { Defense = new() { Booster = new() } },
            "pairs" => arm with { Defense = new() { Constrained = new(), Pairs = 3 } },
            "takes" => arm with { SafetyExamples = 0, Defense = new() { Lisa = new() } },
            "safe_lora" => arm with { Defense = new() { SafeLora = new() } },
            "dora" => arm with
            {
                After = "dose-0",
                Variant = Model.LoraVariant.Dora,
                Defense = new() { SafeLora = new() },
            },
            "nothing" => arm with { After = "dose-0", Defense = new() { SafeLora = new() } },
            "each" => arm with { Defense = new() { Lisa = new(), Constrained = new() } },
            _ => arm with { Untrained = true, Defense = new() { Constrained = new() } },
        };
        var later = new StudyArm { Name = "later", SafetyExamples = 0, After = arm.Name };
        var problems = RecipeCheck.Problems(
            Recipe with { Arms = [.. Recipe.Arms.Select(a => a == arm ? wrong : a), later] });
        Assert.That(string.Join(" ", problems), Does.Contain(problem));
    }
}
