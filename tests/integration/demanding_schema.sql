-- Everything that a dump must carry, in one schema. Loaded by the client program with --comments.
SET time_zone = '+00:00';
SET sql_mode = '';

CREATE TABLE `customer` (
  id INT PRIMARY KEY AUTO_INCREMENT,
  name VARCHAR(80) NOT NULL COMMENT 'as written\non the card, with ''quotes'' and `backticks`',
  mood VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  favourite INT NULL
) AUTO_INCREMENT = 1000 COMMENT = 'people\n-- Table structure for table `x`\n-- Dump completed';
CREATE TABLE `order` (
  id INT PRIMARY KEY AUTO_INCREMENT,
  customer_id INT NOT NULL,
  net DECIMAL(65,30),
  gross_virtual DECIMAL(65,2) AS (net * 1.19) VIRTUAL,
  gross_stored DECIMAL(65,2) AS (net * 1.19) STORED,
  CONSTRAINT order_customer FOREIGN KEY (customer_id) REFERENCES customer (id),
  CONSTRAINT net_is_sane CHECK (net > -1000000)
);
-- A circle of foreign keys.
ALTER TABLE customer ADD CONSTRAINT favourite_order FOREIGN KEY (favourite) REFERENCES `order` (id);

INSERT INTO customer (name, mood) VALUES
  ('Zoë', '🦄🎉'), ('O''Brien; DROP TABLE x', 'line\nbreak'), ('-- Dump completed', 'back\\slash "and" tab\t'),
  ('\n-- Dump completed\n--\n-- Table structure for table `nowhere`\n', '');
INSERT INTO `order` (customer_id, net) VALUES
  (1000, 99999999999999999999999999999999999.999999999999999999999999999999), (1001, -0.01), (1002, NULL);
UPDATE customer SET favourite = 2 WHERE id = 1001;

CREATE TABLE every_byte (id INT PRIMARY KEY, content LONGBLOB, fixed BINARY(4), flags BIT(10), doc JSON,
  kind ENUM('a', 'b''c', 'ü'), choices SET('x', 'y', 'z'));
INSERT INTO every_byte
  SELECT 1, UNHEX(GROUP_CONCAT(LPAD(HEX(seq), 2, '0') ORDER BY seq SEPARATOR '')), X'00FF0A5C', b'1010101010',
    '{"a": [1, 2, {"ü": "🦄"}]}', 'b''c', 'x,z' FROM seq_0_to_255;
INSERT INTO every_byte VALUES (2, '', X'', 0, NULL, 'ü', ''), (3, NULL, NULL, NULL, '[]', NULL, NULL);

CREATE TABLE moments (id INT PRIMARY KEY, d DATE, t TIME(6), dt DATETIME(6), ts TIMESTAMP(6) NULL, y YEAR);
INSERT INTO moments VALUES
  (1, '0000-00-00', '-838:59:59', '0000-00-00 00:00:00', NULL, 0),
  (2, '9999-12-31', '838:59:59.999999', '9999-12-31 23:59:59.999999', '2038-01-19 03:14:07.999999', 2155);
SET time_zone = '+05:45';
INSERT INTO moments VALUES (3, '2026-02-00', '00:00:00', '2026-03-29 02:30:00', '2026-03-29 02:30:00', 1970);
SET time_zone = '-11:00';
INSERT INTO moments VALUES (4, '2024-02-29', '23:59:59.5', '2026-10-25 02:30:00', '2026-10-25 02:30:00', 1999);
SET time_zone = '+00:00';

CREATE TABLE old_text (id INT PRIMARY KEY, word VARCHAR(40)) CHARACTER SET latin1;
INSERT INTO old_text VALUES (1, 'Käse € ÿ');
CREATE TABLE my_isam (id INT PRIMARY KEY AUTO_INCREMENT, word VARCHAR(40), FULLTEXT (word)) ENGINE = MyISAM;
INSERT INTO my_isam (word) VALUES ('one'), ('two');
CREATE TABLE no_rows (id INT PRIMARY KEY, shape GEOMETRY NOT NULL, SPATIAL INDEX (shape));
CREATE TABLE no_key (a INT, b INT INVISIBLE DEFAULT 7);
INSERT INTO no_key VALUES (1), (1);
INSERT INTO no_key (a, b) VALUES (2, 8);
CREATE TABLE parts (id INT NOT NULL, word VARCHAR(10)) COMMENT = 'in parts'
  PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), PARTITION rest VALUES LESS THAN MAXVALUE);
INSERT INTO parts VALUES (1, 'few'), (100, 'many');

-- Names.
CREATE TABLE `a b.c` (`x y` INT PRIMARY KEY, `select` INT, `"quoted"` INT);
INSERT INTO `a b.c` VALUES (1, 2, 3);
CREATE TABLE `back``tick'and"quotes` (id INT PRIMARY KEY);
INSERT INTO `back``tick'and"quotes` VALUES (42);
CREATE TABLE `☃ größe` (`☂` INT PRIMARY KEY COMMENT '🦄');
INSERT INTO `☃ größe` VALUES (1);
CREATE TABLE `-- Dump completed` (id INT);
CREATE TABLE `Case` (id INT);
CREATE TABLE `case` (id INT);

CREATE SEQUENCE numbers START WITH 100 INCREMENT BY 5 CACHE 10;
SELECT NEXTVAL(numbers) INTO @n;
CREATE TABLE numbered (id INT DEFAULT (NEXTVAL(numbers)) PRIMARY KEY, word VARCHAR(10));
INSERT INTO numbered (word) VALUES ('first');

CREATE TABLE prices (id INT PRIMARY KEY, price INT) WITH SYSTEM VERSIONING;
INSERT INTO prices VALUES (1, 10), (2, 20);
UPDATE prices SET price = 11 WHERE id = 1;
DELETE FROM prices WHERE id = 2;

-- Views on views; the first one by name needs the last one.
CREATE VIEW `z first` AS SELECT c.id, c.name, o.net FROM customer c JOIN `order` o ON o.customer_id = c.id;
CREATE VIEW middle AS SELECT id, name FROM `z first` WHERE net IS NOT NULL;
CREATE SQL SECURITY INVOKER VIEW `a view, last` AS SELECT COUNT(*) AS `how many?` FROM middle;

DELIMITER ;;
CREATE TRIGGER customer_before BEFORE INSERT ON customer FOR EACH ROW
BEGIN
-- Table structure for table `customer`
--
-- Dump completed
  SET NEW.name = TRIM(NEW.name); /* a comment
--
-- Dumping routines for database 'x'
--
  in the middle */
END;;
CREATE TRIGGER customer_before_too BEFORE INSERT ON customer FOR EACH ROW FOLLOWS customer_before
  SET NEW.mood = COALESCE(NEW.mood, '🦄');;
CREATE OR REPLACE TRIGGER `trigger` AFTER DELETE ON `order` FOR EACH ROW SET @gone = OLD.id;;

CREATE PROCEDURE `look alike`(IN a INT, OUT b INT)
  COMMENT 'with\nnewline'
BEGIN
--
-- Table structure for table `nowhere`
--
-- Dump completed
-- CREATE PROCEDURE `nowhere`()
/*!50003 CREATE TABLE IF NOT EXISTS look_alike (id INT) */;
  SET b = a + 1; # done
END;;
CREATE FUNCTION `plus one`(a INT) RETURNS INT DETERMINISTIC
  RETURN a + 1;;
CREATE FUNCTION `größe`() RETURNS VARCHAR(10) CHARSET utf8mb4 NO SQL RETURN '🦄';;
CREATE PROCEDURE `b``t`() SELECT 1;;

SET sql_mode = 'ORACLE';;
CREATE PACKAGE billing AS
  PROCEDURE charge(amount INT);
END;;
CREATE PACKAGE BODY billing AS
  PROCEDURE charge(amount INT) AS
  BEGIN
    SELECT amount;
  END;
END;;
SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT';;
CREATE TRIGGER "ansi trigger" BEFORE UPDATE ON "old_text" FOR EACH ROW SET NEW.word = NEW.word || '';;
CREATE PROCEDURE "ansi procedure"() SELECT 'a' || 'b' AS "c d";;
CREATE EVENT "ansi event" ON SCHEDULE EVERY 1 DAY DO SELECT 1;;
SET sql_mode = '';;
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2026-01-01 03:00:00' COMMENT 'each night' DO
BEGIN
  -- Dump completed
  DELETE FROM no_rows WHERE id < 0;
END;;
CREATE EVENT `at rest` ON SCHEDULE EVERY 1 HOUR DISABLE DO DELETE FROM no_rows;;
DELIMITER ;
