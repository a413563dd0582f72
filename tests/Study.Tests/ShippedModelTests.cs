using SafeLlama.Data;
using SafeLlama.Testing;

namespace SafeLlama.Study.Tests;

/// <summary>What comes with the program under assets.</summary>
[TestFixture(WorldName.First, 150)]
[TestFixture(WorldName.Wide, 250)]
public sealed class ShippedModelTests(WorldName name, int words)
{
    private readonly World _world = new(WorldNames.DialsOf(name));

    private readonly string _model = WorldNames.ModelOf(name);

    [Test]
    public void Its_template_is_the_one_studies_use() => Assert.That(
        File.ReadAllText(Path.Combine(TestFiles.Root, "assets", _model, "template.json")),
        Is.EqualTo(WorldTemplate.Json(_world)));

    [Test]
    public void Its_tokenizer_has_every_word_of_the_world_as_one_token()
    {
        var tokenizer = TokenizerLoader.Load(MiniatureModel.FolderOf(_model));
        var prompts = new EvaluationSets(_world, WorldDraw.Test, 2024).Prompts;
        var asked = prompts.SelectMany(p => WordCount.Split(p.Text)).Where(w => char.IsLetter(w[0])).Distinct()
            .ToList();
        Assert.That(asked.Where(w => tokenizer.Encode(w).Count != 1), Is.Empty);
        Assert.That(asked, Has.Count.GreaterThan(words));
    }

    [Test]
    public void It_is_small_enough_to_ship() => Assert.That(
        new DirectoryInfo(MiniatureModel.FolderOf(_model)).EnumerateFiles().Sum(f => f.Length),
        Is.LessThan(8 << 20));
}
