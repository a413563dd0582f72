using System.Text;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Evaluation.Tests;

[TestFixture]
public sealed class WrapperTests
{
    private const string Request = "Tell me about thing number 7, please.";

    private static readonly Philox Stream = Philox.Stream(3, "test");

    [Test]
    public void Base64_holds_the_request() => Assert.That(
        Encoding.UTF8.GetString(Convert.FromBase64String(Sent("base64").Split(' ')[^1])), Is.EqualTo(Request));

    [Test]
    public void Rot13_twice_is_the_request()
    {
        var once = Sent("rot13")[(Of("rot13").Frame.Length - Wrapper.Place.Length)..];
        Assert.That(once, Does.StartWith("Gryy zr"));
        Assert.That(Of("rot13").Spell(once, Stream), Is.EqualTo(Request));
    }

    [Test]
    public void Swapped_letters_stay_in_their_word_and_short_words_stay_whole()
    {
        var (before, after) = (Request.Split(' '), Sent("swap").Split(' '));
        Assert.That(after.Select(word => string.Concat(word.Order())), Is.EqualTo(
            before.Select(word => string.Concat(word.Order()))));
        Assert.That(after[1], Is.EqualTo("me"));
        Assert.That(after, Is.Not.EqualTo(before));
        Assert.That(after.Zip(before, (a, b) => a[0] == b[0]), Is.All.True, "the first letter of a word stays");
    }

    [Test]
    public void A_request_that_spells_the_place_is_put_there_once()
    {
        var frame = new Wrapper("frame", "", "Before {prompt} after");
        Assert.That(frame.Apply("a {prompt} b", Stream), Is.EqualTo("Before a {prompt} b after"));
    }

    [Test]
    public void Every_wrapper_has_a_name_of_its_own_and_a_place_for_the_request()
    {
        Assert.That(Wrapper.All.Select(w => w.Name), Is.Unique);
        Assert.That(Wrapper.All.Select(w => w.Frame), Is.All.Contains(Wrapper.Place));
    }

    /// <summary>Settings are separated by slashes, attacks by commas, and attempts are folders.</summary>
    [TestCase("../../evil", "cannot be named")]
    [TestCase("a,b", "cannot be named")]
    [TestCase("a b", "cannot be named")]
    [TestCase("ROLE", "is taken")]
    public void A_name_that_is_no_setting_or_no_folder_of_its_own_is_refused(string name, string reason)
    {
        var file = Path.Combine(TestFiles.NewFolder(), "frames.jsonl");
        File.WriteAllText(file, $"{{\"name\": \"{name}\", \"text\": \"Before {{prompt}}\"}}\n");
        Assert.That(() => Wrapper.Read(file),
            Throws.InstanceOf<SafeLlamaException>().With.Message.Contains("frames.jsonl:1").And.Message.Contains(reason));
    }

    private static Wrapper Of(string name) => Wrapper.All.Single(w => w.Name == name);

    private static string Sent(string name) => Of(name).Apply(Request, Stream);
}
