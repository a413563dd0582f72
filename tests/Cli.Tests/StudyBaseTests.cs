using System.Text.Json.Nodes;
using SafeLlama.Cli.Commands;
using SafeLlama.Cli.Study;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Study;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

/// <summary>The shipped bases: what their <c>made.json</c> says, made again.</summary>
[TestFixture(WorldName.First)]
[TestFixture(WorldName.Wide)]
public sealed class StudyBaseTests(WorldName world)
{
    private const string Weights = "model.safetensors";

    /// <summary>The first world's weights as this program makes them with AVX-512. The shipped ones are of before 28
    /// November, when the cross-entropy began to add in another order.</summary>
    private const string FirstWeights = "350968ac70583a61697169091b8e305c923abb2325f2d84bf2576adcc32b8d92";

    private readonly string _shipped = Path.Combine(TestFiles.Root, "assets", WorldNames.ModelOf(world));

    private JsonNode Made => JsonNode.Parse(File.ReadAllText(Path.Combine(_shipped, "made.json")))!;

    private long Seed => Made["seed"]!.GetValue<long>();

    [Test]
    public void It_records_the_world_that_it_has_read() =>
        Assert.That(BaseWorld.Of(_shipped), Is.EqualTo(WorldNames.DialsOf(world)));

    [Test]
    public void A_shape_that_is_not_there_is_refused_before_any_work()
    {
        var folder = Path.Combine(TestFiles.NewFolder(), "base");
        var run = Door.Run("study", "base", "--init", "no-such-shape.json", "--out", folder);
        Assert.That(run.ExitCode, Is.EqualTo(2));
        Assert.That(run.Error, Does.Contain("no-such-shape.json"));
        Assert.That(folder, Does.Not.Exist);
    }

    [Test]
    public void Another_shape_is_refused_and_the_shape_begun_with_stays()
    {
        var folder = Path.Combine(TestFiles.NewFolder(), "base");
        var making = Path.Combine(folder, "making");
        WorldExport.Write(new World(WorldNames.DialsOf(world)), Seed, Path.Combine(making, "world"));
        Directory.CreateDirectory(Path.Combine(making, "tokenizer"));
        foreach (var file in Directory.GetFiles(_shipped, "tokenizer*"))
        {
            File.Copy(file, Path.Combine(making, "tokenizer", Path.GetFileName(file)));
        }

        var config = Path.Combine(making, "config.json");
        File.WriteAllText(config, "{}\n");
        var run = Door.Run(
            "study", "base", "--world", world.ToString().ToLowerInvariant(), "--seed", Seed.ToString(),
            "--init", Path.Combine(_shipped, "config.json"), "--out", folder, "--resume");
        Assert.That(run.ExitCode, Is.EqualTo(2), run.Error);
        Assert.That(run.Error, Does.Contain("was begun with another shape"));
        Assert.That(File.ReadAllText(config), Is.EqualTo("{}\n"));
    }

    [Test]
    public void It_is_trained_until_a_loss_and_says_so()
    {
        if (world == WorldName.Wide)
        {
            Assert.Ignore("the first world reads shorter blocks, and the way is the same");
        }

        var (folder, shape) = (Path.Combine(TestFiles.NewFolder(), "base"), TinyShape());
        string[] of = ["study", "base", "--init", shape, "--threads", "2", "--out", folder];
        var run = Door.Run([.. of, "--until-loss", "7.2", "--json"]);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        var made = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "made.json")))!;
        var printed = JsonNode.Parse(run.Output)!;
        Assert.That(printed["out"]!.GetValue<string>(), Is.EqualTo(folder));
        Assert.That(JsonNode.DeepEquals(printed["made"], made), run.Output);
        Assert.Multiple(() =>
        {
            Assert.That(made["validation_loss"]!.GetValue<double>(), Is.InRange(5, 7.2));
            Assert.That(made["until_loss"]!.GetValue<double>(), Is.EqualTo(7.2));
            Assert.That(made["reached"]!.GetValue<bool>());
            Assert.That(made["steps"]!.GetValue<int>() % 25, Is.Zero, "looked at every 25 steps");
            Assert.That(made["command"]!.GetValue<string>(), Does.Contain("--until-loss 7.2"));
        });
        var other = Door.Run([.. of, "--resume"]);
        Assert.That(other.ExitCode, Is.EqualTo((int)ExitCode.Usage), other.Error);
        Assert.That(other.Error, Does.Contain("was begun until 7.2, now no loss is asked for"));
    }

    [Test]
    [Slow("trains a tiny base on all its texts: half a minute")]
    public void A_loss_that_is_not_reached_keeps_the_base_says_so_and_misses_the_gate()
    {
        if (world == WorldName.Wide)
        {
            Assert.Ignore("the first world reads shorter blocks, and the way is the same");
        }

        var folder = Path.Combine(TestFiles.NewFolder(), "base");
        var run = Door.Run("study", "base", "--init", TinyShape(), "--until-loss", "0.01", "--out", folder);
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.GateMissed), run.Error);
        Assert.That(run.Error, Does.Contain("--until-loss 0.01: was not reached"));
        var made = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "made.json")))!;
        Assert.That(made["reached"]!.GetValue<bool>(), Is.False);
        Assert.That(Path.Combine(folder, "model.safetensors"), Does.Exist);
    }

    [Test]
    public void Files_are_those_that_were_made()
    {
        foreach (var (name, hash) in Made["files"]!.AsObject())
        {
            Assert.That(ContentHash.OfFile(Path.Combine(_shipped, name)), Is.EqualTo(hash!.GetValue<string>()), name);
        }
    }

    [Test]
    public void World_and_tokenizer_come_out_the_same()
    {
        var folder = Path.Combine(TestFiles.NewFolder(), "world");
        WorldExport.Write(new World(WorldNames.DialsOf(world)), Seed, folder);
        var text = Path.Combine(folder, "pretraining.txt");
        Assert.That(ContentHash.OfFile(text), Is.EqualTo(Made["text"]!["sha256"]!.GetValue<string>()));

        var tokenizer = TestFiles.NewFolder();
        DataTokenizerCommand.Learn(
            [text, Path.Combine(folder, "tuning", "benign.jsonl"),
                Path.Combine(folder, "tuning", "safety-mixed.jsonl")],
            null, new BpeTrainerOptions { VocabularySize = MiniatureBase.VocabularySizeOf(world) }).Write(tokenizer);
        foreach (var file in Directory.GetFiles(tokenizer))
        {
            var name = Path.GetFileName(file);
            Assert.That(File.ReadAllBytes(file), Is.EqualTo(File.ReadAllBytes(Path.Combine(_shipped, name))), name);
        }
    }

    [Test]
    [Slow("trains the base: two minutes on two idle cores, the wider one four")]
    public void Rebuilt_on_the_same_vectors_it_is_the_same_to_the_last_byte()
    {
        var made = Made["instruction_set"]!.GetValue<string>();
        if (made != CpuBackend.InstructionSet)
        {
            Assert.Ignore($"The shipped base was made with {made}, and this machine has {CpuBackend.InstructionSet}: "
                + "sums are taken in another order, so the last bits differ.");
        }

        var folder = Path.Combine(TestFiles.NewFolder(), "base");
        var run = Door.Run(
            "study", "base", "--world", world.ToString().ToLowerInvariant(), "--seed", Seed.ToString(), "--out", folder);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        if (world == WorldName.First)
        {
            Assert.That(
                ContentHash.OfFile(Path.Combine(folder, Weights)), Is.EqualTo(FirstWeights),
                "say in docs/results/configurations.md what changed");
        }

        foreach (var name in Directory.GetFiles(folder).Select(file => Path.GetFileName(file))
            .Where(name => world != WorldName.First || name is not (Weights or "made.json")))
        {
            Assert.That(
                File.ReadAllBytes(Path.Combine(folder, name)),
                Is.EqualTo(File.ReadAllBytes(Path.Combine(_shipped, name))), name);
        }
    }

    /// <summary>A shape of one layer and eight columns, as a file.</summary>
    private string TinyShape()
    {
        var shape = Path.Combine(TestFiles.NewFolder(), "tiny.json");
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(_shipped, "config.json")))!;
        foreach (var (field, value) in new[]
        {
            ("hidden_size", 8), ("intermediate_size", 8), ("num_hidden_layers", 1), ("num_attention_heads", 1),
            ("num_key_value_heads", 1),
        })
        {
            config[field] = value;
        }

        File.WriteAllText(shape, config.ToJsonString());
        return shape;
    }
}
