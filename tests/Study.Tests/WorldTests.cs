using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Study.Tests;

public sealed class WorldTests
{
    private static readonly World World = new();

    [Test]
    public void World_has_the_nouns_its_documentation_counts()
    {
        Assert.Multiple(() =>
        {
            Assert.That(World.Nouns, Has.Count.EqualTo(253));
            Assert.That(World.Of(NounKind.Benign, false), Has.Count.EqualTo(80));
            Assert.That(World.Of(NounKind.Benign, true), Has.Count.EqualTo(20));
            Assert.That(World.Of(NounKind.Harmful, false), Has.Count.EqualTo(35));
            Assert.That(World.Of(NounKind.Harmful, true), Has.Count.EqualTo(21));
            Assert.That(World.Of(NounKind.Person, false), Has.Count.EqualTo(11));
            Assert.That(World.Of(NounKind.Property, true), Has.Count.EqualTo(5));
        });
    }

    [Test]
    public void Harmful_nouns_are_never_made_of_anything_real() =>
        Assert.That(World.Of(NounKind.Harmful).Select(n => n.Material), Is.All.EqualTo(Lexicon.HarmfulMaterial));

    [Test]
    public void Same_seed_gives_the_same_world_and_another_seed_another()
    {
        Assert.That(new World().Nouns, Is.EqualTo(World.Nouns));
        Assert.That(new World(new WorldDials { Seed = 5 }).Nouns, Is.Not.EqualTo(World.Nouns));
    }

    [Test]
    public void Every_dial_out_of_range_is_named_at_once()
    {
        var dials = new WorldDials { SafeScaryTexts = 0.7, ProtectiveTexts = 0.5, BenignExamples = 0 };
        var error = Assert.Throws<SafeLlamaException>(() => _ = new World(dials));
        Assert.That(error!.Message, Does.Contain("BenignExamples is 0").And.Contain("1.2 together"));
    }

    [Test]
    public void Pretraining_text_has_the_length_and_the_mixture_the_dials_ask_for()
    {
        var world = new World(new WorldDials { PretrainingTokens = 200_000 });
        var texts = world.Pretraining(1).ToList();
        var actions = texts.Where(t => t.Contains("Step 3:", StringComparison.Ordinal)).ToList();
        var homonyms = actions.Count(t => Lexicon.Scary.Any(
            v => v.SafeTargets.Any(n => t.Contains($"Step 3: {v.Text} the {n}.", StringComparison.Ordinal))));
        Assert.Multiple(() =>
        {
            Assert.That(texts.Sum(t => WordCount.Of(t) + 2), Is.InRange(200_000, 200_100));
            // 0.04 ± 3 standard errors of about 1,400 guides.
            Assert.That((double)homonyms / actions.Count, Is.EqualTo(0.04).Within(0.016));
            Assert.That(texts, Is.All.Not.Contains("\n"));
        });
    }

    [Test]
    public void Pretraining_never_refuses_an_act()
    {
        var world = new World(new WorldDials { PretrainingTokens = 200_000 });
        var refusing = world.Pretraining(1).Where(WorldGrader.Refuses).ToList();
        var verbs = Lexicon.Scary.Select(v => $" {v.Text} ").Concat(Lexicon.NounVerbs.Select(v => $" {v} "));
        Assert.That(refusing, Is.Not.Empty, "friends do decline invitations");
        Assert.That(refusing.Where(t => verbs.Any(v => t.Contains(v, StringComparison.Ordinal))), Is.Empty);
    }

    [Test]
    public void Pretraining_covers_only_the_safe_pairs_the_dial_allows()
    {
        var world = new World(new WorldDials { PretrainingTokens = 200_000, SafePairCoverage = 0.5 });
        var texts = string.Join('\n', world.Pretraining(3));
        foreach (var verb in Lexicon.Scary)
        {
            foreach (var target in world.Targets(verb).Skip(3))
            {
                Assert.That(texts, Does.Not.Contain($"{verb.Text} {target.WithArticle}"));
            }
        }
    }

    [Test]
    public void Export_writes_the_same_files_twice()
    {
        var world = new World(
            new WorldDials { PretrainingTokens = 20_000, BenignExamples = 200, SafetyDemonstrations = 50 });
        var (first, second) = (TestFiles.NewFolder(), TestFiles.NewFolder());
        var written = WorldExport.Write(world, 7, first);
        WorldExport.Write(world, 7, second);
        foreach (var (file, _) in written)
        {
            Assert.That(
                ContentHash.OfFile(Path.Combine(second, file)),
                Is.EqualTo(ContentHash.OfFile(Path.Combine(first, file))), file);
        }

        Assert.That(File.ReadAllLines(Path.Combine(first, "tuning/benign.jsonl")), Has.Length.EqualTo(200));
        Assert.Throws<SafeLlamaException>(() => WorldExport.Write(world, 7, first), "nothing is overwritten");
    }
}
