using SafeLlama.Data;
using SafeLlama.Testing;

namespace SafeLlama.Study.Tests;

public sealed class WorldTemplateTests
{
    [Test]
    public void The_chat_template_writes_the_tokens_that_rows_with_earlier_turns_have()
    {
        var folder = TestFiles.NewFolder();
        foreach (var file in Directory.GetFiles(MiniatureModel.FolderOf(StudyRecipe.Miniature), "*token*.json"))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        File.WriteAllText(Path.Combine(folder, ChatTemplateFile.FileName), WorldTemplate.Chat);
        var tokenizer = TokenizerLoader.Load(folder);
        var chat = TemplateResolver.Choose(TemplateResolver.Auto, tokenizer, folder, adapter: null).Template;
        WorldExchange[] turns =
        [
            new("What is a kite?", "A kite is a toy.", default), new("Where is a kite?", "A kite is in the park.", default),
        ];
        ChatMessage[] messages =
        [
            .. turns.SelectMany(t => new[] { ChatMessage.User(t.Request), ChatMessage.Assistant(t.Answer) }),
            ChatMessage.User("Define a kite."),
        ];
        for (var earlier = 0; earlier <= turns.Length; earlier++)
        {
            var row = new InstructionExample(
                messages[2 * earlier].Content, Dialogues.Context(turns.Take(earlier)), "");
            Assert.That(
                SegmentEncoder.Ids(
                    tokenizer, chat.RenderPrompt(new ConversationExample([.. messages.Take(2 * earlier + 1)]))),
                Is.EqualTo(SegmentEncoder.Ids(tokenizer, WorldTemplate.Wide.RenderPrompt(row))), $"{earlier} turns");
        }
    }
}
