using SafeLlama.Data;
using SafeLlama.Testing;

namespace SafeLlama.Study.Tests;

/// <summary>What comes with the program under assets/miniature.</summary>
public sealed class ShippedModelTests
{
    [Test]
    public void Its_template_is_the_one_studies_use() => Assert.That(
        File.ReadAllText(Path.Combine(TestFiles.Root, "assets", "miniature", "template.json")),
        Is.EqualTo(WorldTemplate.Json(new World())));

    [Test]
    public void Its_tokenizer_has_every_word_of_the_world_as_one_token()
    {
        var tokenizer = TokenizerLoader.Load(MiniatureModel.FolderOf(StudyRecipe.Miniature));
        var prompts = new EvaluationSets(new World(), WorldDraw.Test, 2024).Prompts;
        var words = prompts.SelectMany(p => WordCount.Split(p.Text)).Where(w => char.IsLetter(w[0])).Distinct()
            .ToList();
        Assert.That(words.Where(w => tokenizer.Encode(w).Count != 1), Is.Empty);
        Assert.That(words, Has.Count.GreaterThan(150));
    }

    [Test]
    public void It_is_small_enough_to_ship() => Assert.That(
        new DirectoryInfo(MiniatureModel.FolderOf(StudyRecipe.Miniature)).EnumerateFiles().Sum(f => f.Length),
        Is.LessThan(8 << 20));
}
